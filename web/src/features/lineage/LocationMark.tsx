import { Link } from "@tanstack/react-router";
import "./entity.css";
import type { Location } from "@/shared/api/types";

/** Type and name of a location; leads to the datasets there. */
export function LocationMark({ location }: { location: Location }) {
  return (
    <Link className="location-mark" to="/datasets" search={{ at: location.id }} title={location.addresses.map((one) => one.url).join(", ")}>
      <span className="location-type">{location.type}</span>
      <span className="wrap-words">{location.name}</span>
    </Link>
  );
}
