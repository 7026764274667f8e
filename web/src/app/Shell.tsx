/** The frame around all pages: side bar, search, theme, user. */
import { ActionIcon, AppShell, Burger, Group, Menu, Text, Tooltip, UnstyledButton, useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import { useDisclosure, useHotkeys } from "@mantine/hooks";
import { IconKeyboard, IconMoon, IconSearch, IconSun, IconUser } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, Outlet } from "@tanstack/react-router";
import { Suspense } from "react";
import { signOut } from "@/shared/api/actions";
import { meQuery } from "@/shared/api/queries";
import { Loading } from "@/shared/ui/States";
import { GlobalSearch } from "./GlobalSearch";
import { KeyHelp } from "./KeyHelp";
import { navigation } from "./navigation";
import "./shell.css";

export function Shell() {
  const [menuOpened, menu] = useDisclosure();
  const [searchOpened, search] = useDisclosure();
  const [helpOpened, help] = useDisclosure();
  useHotkeys([
    ["mod+K", search.open],
    ["/", focusSearch],
    ["shift+?", help.open],
    ["?", help.open],
  ]);
  return (
    <AppShell header={{ height: 46 }} navbar={{ width: 188, breakpoint: "sm", collapsed: { mobile: !menuOpened } }} padding={0}>
      <a className="skip-link" href="#main" onClick={skipToMain}>
        Skip to content
      </a>
      <AppShell.Header className="header">
        <Burger opened={menuOpened} onClick={menu.toggle} hiddenFrom="sm" size="sm" aria-label="Menu" />
        <Link to="/datasets" search={{}} className="brand">
          <img src="./favicon.svg" width={20} height={20} alt="" /> Headwater
        </Link>
        <UnstyledButton className="search-button" onClick={search.open}>
          <IconSearch size={14} aria-hidden /> Search everything <kbd>Ctrl K</kbd>
        </UnstyledButton>
        <Group gap={4} ml="auto">
          <Tooltip label="Keys">
            <ActionIcon variant="subtle" color="gray" aria-label="Keys" onClick={help.open}>
              <IconKeyboard size={18} />
            </ActionIcon>
          </Tooltip>
          <ThemeButton />
          <UserMenu />
        </Group>
      </AppShell.Header>
      <AppShell.Navbar className="navbar">
        <nav aria-label="Pages">
          {navigation.map(({ title, items }) => (
            <div key={title} className="nav-group">
              <Text size="xs" c="dimmed" fw={600} px={10} pb={2}>
                {title}
              </Text>
              {items.map(({ to, label, icon: Icon }) => (
                <Link key={to} to={to} search={{}} className="nav-link" activeOptions={{ includeSearch: false }} activeProps={{ className: "nav-link active", "aria-current": "page" }} onClick={menu.close}>
                  <Icon size={16} stroke={1.7} aria-hidden /> {label}
                </Link>
              ))}
            </div>
          ))}
        </nav>
        <a className="licenses" href="./licenses.txt" target="_blank" rel="noreferrer">
          Licences of libraries
        </a>
      </AppShell.Navbar>
      <AppShell.Main id="main" className="main" tabIndex={-1}>
        <Suspense fallback={<Loading what="page" />}>
          <Outlet />
        </Suspense>
      </AppShell.Main>
      {searchOpened && <GlobalSearch onClose={search.close} />}
      {helpOpened && <KeyHelp onClose={help.close} />}
    </AppShell>
  );
}

/** The address belongs to the router, so the link must not change it. */
function skipToMain(event: React.MouseEvent): void {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

/** The search field of the page, where it has one. */
function focusSearch(): void {
  document.querySelector<HTMLInputElement>("input[data-search]")?.focus();
}

function ThemeButton() {
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme("light");
  const next = scheme === "light" ? "dark" : "light";
  return (
    <Tooltip label={`Use ${next} colours`}>
      <ActionIcon variant="subtle" color="gray" aria-label={`Use ${next} colours`} onClick={() => setColorScheme(next)}>
        {scheme === "light" ? <IconMoon size={18} /> : <IconSun size={18} />}
      </ActionIcon>
    </Tooltip>
  );
}

function UserMenu() {
  const me = useQuery(meQuery).data;
  if (!me) return null;
  return (
    <Menu position="bottom-end" width={180}>
      <Menu.Target>
        <UnstyledButton className="user-button">
          <IconUser size={16} aria-hidden /> {me.name}
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item component={Link} to="/tokens">
          Personal tokens
        </Menu.Item>
        <Menu.Item onClick={() => void signOut()}>Sign out</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
