/** What stands in the side bar. A feature adds a group. */
import { IconAlertOctagon, IconBolt, IconDatabase, IconKey, IconPlayerPlay, IconServer2, IconSettings } from "@tabler/icons-react";

export const navigation = [
  {
    title: "Lineage",
    items: [
      { to: "/datasets", label: "Datasets", icon: IconDatabase },
      { to: "/jobs", label: "Jobs", icon: IconSettings },
      { to: "/runs", label: "Runs", icon: IconPlayerPlay },
      { to: "/operations", label: "Operations", icon: IconBolt },
      { to: "/locations", label: "Locations", icon: IconServer2 },
      { to: "/quarantine", label: "Quarantine", icon: IconAlertOctagon },
    ],
  },
  { title: "Account", items: [{ to: "/tokens", label: "Personal tokens", icon: IconKey }] },
] as const;
