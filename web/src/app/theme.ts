import { createTheme } from "@mantine/core";

/** Calm and dense: small controls, few colours, the fonts of the system. */
export const theme = createTheme({
  primaryColor: "cyan",
  primaryShade: { light: 9, dark: 7 },
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace',
  fontSizes: { xs: "11.5px", sm: "13px", md: "14px", lg: "16px", xl: "18px" },
  headings: { fontWeight: "600", sizes: { h4: { fontSize: "16px" }, h5: { fontSize: "14.5px" } } },
  defaultRadius: "sm",
  cursorType: "pointer",
});
