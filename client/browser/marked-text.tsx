/** Draws the tokens of a message. Text stays text: nothing that a person wrote becomes markup. */
import type { ComponentChildren } from 'preact';
import { useMemo } from 'preact/hooks';
import { type Block, type Inline, parseMarkdown } from '../../shared/markdown.ts';

export function MarkedText({ text, me }: { readonly text: string; readonly me: string }) {
  const blocks = useMemo(() => parseMarkdown(text), [text]);
  return <div class="text">{blocks.map(block => drawBlock(block, me))}</div>;
}

function drawBlock(block: Block, me: string): ComponentChildren {
  switch (block.kind) {
    case 'code':
      return (
        <pre tabIndex={0}>
          <code>{block.text}</code>
        </pre>
      );
    case 'quote':
      return <blockquote>{drawInline(block.parts, me)}</blockquote>;
    case 'list': {
      const items = block.items.map(item => <li>{drawInline(item, me)}</li>);
      return block.ordered ? <ol>{items}</ol> : <ul>{items}</ul>;
    }
    default:
      return <p>{drawInline(block.parts, me)}</p>;
  }
}

function drawInline(parts: readonly Inline[], me: string): ComponentChildren {
  return parts.map(part => {
    switch (part.kind) {
      case 'code':
        return <code>{part.text}</code>;
      case 'bold':
        return <strong>{drawInline(part.parts, me)}</strong>;
      case 'italic':
        return <em>{drawInline(part.parts, me)}</em>;
      case 'link':
        return (
          <a href={part.href} title={part.href} target="_blank" rel="noopener noreferrer nofollow">
            {part.text}
          </a>
        );
      case 'mention':
        return (
          <span class={`mention ${part.text.toLowerCase() === me.toLowerCase() ? 'is-me' : ''}`}>@{part.text}</span>
        );
      default:
        return part.text;
    }
  });
}
