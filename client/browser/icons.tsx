/** The page's few pictures, drawn with the colour of the text around them. */

const paths = {
  menu: 'M4 6h16M4 12h16M4 18h16',
  people: 'M9 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM2 21c0-4 3-6 7-6s7 2 7 6M16 3.5a4 4 0 0 1 0 7M18 15.5c2.5.5 4 2.5 4 5.5',
  files: 'M3 6a2 2 0 0 1 2-2h4l2 3h8a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2Z',
  file: 'M6 2h8l5 5v13a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2V4a2 2 0 0 1 2-2ZM14 2v6h5',
  search: 'M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM20 20l-4-4',
  settings: 'M4 7h10M18 7h2M4 17h2M10 17h10M14 4v6M6 14v6',
  close: 'M6 6l12 12M18 6L6 18',
  plus: 'M12 5v14M5 12h14',
  send: 'M4 12l16-8-6 16-3-6Z',
  attach: 'M20 11l-8.5 8.5a5 5 0 0 1-7-7L13 4a3.5 3.5 0 0 1 5 5l-8.5 8.5a2 2 0 0 1-3-3L14 7',
  reply: 'M9 7l-5 5 5 5M4 12h10a6 6 0 0 1 6 6v1',
  smile: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM8.5 14a4 4 0 0 0 7 0M9 9.5v.5M15 9.5v.5',
  edit: 'M4 20l1-5L16 4l4 4L9 19ZM14 6l4 4',
  bin: 'M4 7h16M9 7V4h6v3M6 7l1 14h10l1-14M10 11v6M14 11v6',
  link: 'M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1',
  down: 'M12 4v14M6 12l6 6 6-6',
  download: 'M12 3v12M7 11l5 5 5-5M4 20h16',
  up: 'M12 20V6M6 12l6-6 6 6',
  pause: 'M9 5v14M15 5v14',
  play: 'M7 4l12 8-12 8Z',
  retry: 'M20 5v5h-5M20 10a8 8 0 1 0 0 5',
  invite: 'M10 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM3 21c0-4 3-6 7-6M18 13v8M14 17h8',
  wire: 'M5 3v18M19 3v18M5 8h11M13 5l3 3-3 3M19 16H8M11 13l-3 3 3 3',
  shield: 'M12 3l8 3v6c0 5-3.5 8-8 9-4.5-1-8-4-8-9V6Z',
  out: 'M14 4H6v16h8M10 12h11M17 8l4 4-4 4',
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  );
}

interface IconButtonProps {
  readonly icon: IconName;
  readonly label: string;
  readonly onClick: (event: MouseEvent) => void;
  readonly pressed?: boolean | undefined;
  readonly kind?: string;
}

/** A picture to press, with its name for those who do not see it. */
export function IconButton({ icon, label, onClick, pressed, kind = '' }: IconButtonProps) {
  return (
    <button
      type="button"
      class={`icon-button ${kind}`}
      aria-label={label}
      title={label}
      aria-pressed={pressed}
      onClick={onClick}
    >
      <Icon name={icon} />
    </button>
  );
}
