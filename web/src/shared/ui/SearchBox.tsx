import { CloseButton, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import { useState } from "react";

/** The server's index knows nothing shorter. */
export const searchLengthMin = 3;

export interface SearchBoxProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
}

/** Text to search for; reported when the typing pauses. */
export function SearchBox({ label, value, onChange }: SearchBoxProps) {
  const [text, setText] = useState(value);
  const [known, setKnown] = useState(value);
  // The address changed by itself, such as with the back button.
  if (known !== value) {
    setKnown(value);
    if (text.trim() !== value) setText(value);
  }
  const report = useDebouncedCallback((next: string) => onChange(next.trim()), 250);
  const change = (next: string): void => {
    setText(next);
    report(next);
  };
  const short = text.trim().length > 0 && text.trim().length < searchLengthMin;
  return (
    <TextInput
      type="search"
      size="xs"
      w={280}
      aria-label={label}
      placeholder={label}
      data-search
      value={text}
      onChange={(event) => change(event.currentTarget.value)}
      leftSection={<IconSearch size={14} aria-hidden />}
      rightSectionWidth={short ? 96 : 30}
      rightSection={short ? <span className="search-hint">{searchLengthMin} letters or more</span> : text === "" ? null : <CloseButton size="xs" aria-label="Clear search" onClick={() => change("")} />}
    />
  );
}
