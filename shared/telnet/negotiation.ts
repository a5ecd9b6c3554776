/**
 * The state of every option of one connection, by the Q method of RFC 1143: a table of states × events that holds for
 * both sides and cannot loop. Pure: what is to be sent is returned. TIMING-MARK has no state (RFC 860) and is not here.
 */
import type { Negotiation } from './codes.ts';

/** RFC 1143 §7; `opposite` is its queue bit. */
type State = 'no' | 'yes' | 'want-no' | 'want-no-opposite' | 'want-yes' | 'want-yes-opposite';

/** What the peer said, with our mind about it where it asks; or what we want. */
type Event = 'offered' | 'offered-unwanted' | 'denied' | 'enable' | 'disable';

interface Step {
  readonly to: State;
  readonly send?: 'yes' | 'no';
}

const step = (to: State, send?: 'yes' | 'no'): Step => (send === undefined ? { to } : { to, send });

const table: Readonly<Record<State, Readonly<Record<Event, Step>>>> = {
  no: {
    offered: step('yes', 'yes'),
    'offered-unwanted': step('no', 'no'),
    denied: step('no'),
    enable: step('want-yes', 'yes'),
    disable: step('no'),
  },
  yes: {
    offered: step('yes'),
    'offered-unwanted': step('yes'),
    denied: step('no', 'no'),
    enable: step('yes'),
    disable: step('want-no', 'no'),
  },
  'want-no': {
    // A DONT answered by WILL is the peer's mistake: it is taken for the end of the option.
    offered: step('no'),
    'offered-unwanted': step('no'),
    denied: step('no'),
    enable: step('want-no-opposite'),
    disable: step('want-no'),
  },
  'want-no-opposite': {
    offered: step('yes'),
    'offered-unwanted': step('yes'),
    denied: step('want-yes', 'yes'),
    enable: step('want-no-opposite'),
    disable: step('want-no'),
  },
  'want-yes': {
    offered: step('yes'),
    'offered-unwanted': step('yes'),
    denied: step('no'),
    enable: step('want-yes'),
    disable: step('want-yes-opposite'),
  },
  'want-yes-opposite': {
    offered: step('want-no', 'no'),
    'offered-unwanted': step('want-no', 'no'),
    denied: step('no'),
    enable: step('want-yes'),
    disable: step('want-yes-opposite'),
  },
};

/** Whose option it is: `ours` is spoken of with WILL by us and DO by the peer, `theirs` the other way round. */
export type Side = 'ours' | 'theirs';

export interface NegotiationRules {
  /** Whether an option that the peer asks for, or offers, is taken. */
  mayEnable(side: Side, option: number): boolean;
  /** Negotiations of the peer that are heard; what comes after is ignored, so that no storm goes on. */
  readonly heardMax: number;
}

export interface Outcome {
  readonly side: Side;
  readonly option: number;
  /** To be sent to the peer. */
  readonly send?: Negotiation;
  /** The option was switched on or off by this. */
  readonly became?: 'on' | 'off';
  /** The peer has answered our request with no. */
  readonly refused?: true;
}

export class Negotiator {
  readonly #rules: NegotiationRules;
  readonly #states = { ours: new Map<number, State>(), theirs: new Map<number, State>() };
  #heard = 0;

  constructor(rules: NegotiationRules) {
    this.#rules = rules;
  }

  isOn(side: Side, option: number): boolean {
    return this.#state(side, option) === 'yes';
  }

  /** Options that are on, for STATUS (RFC 859). */
  on(side: Side): readonly number[] {
    return [...this.#states[side]].filter(([, state]) => state === 'yes').map(([option]) => option);
  }

  /** The peer spoke. Undefined when it is not heard any more. */
  receive(verb: Negotiation, option: number): Outcome | undefined {
    if (++this.#heard > this.#rules.heardMax) return undefined;
    const side = verb === 'DO' || verb === 'DONT' ? 'ours' : 'theirs';
    const isOffer = verb === 'DO' || verb === 'WILL';
    if (!isOffer) return this.#move(side, option, 'denied');
    return this.#move(side, option, this.#rules.mayEnable(side, option) ? 'offered' : 'offered-unwanted');
  }

  /** We want it on or off; nothing is sent when it is so, or asked for already. */
  want(side: Side, option: number, isOn: boolean): Outcome {
    return this.#move(side, option, isOn ? 'enable' : 'disable');
  }

  #state(side: Side, option: number): State {
    return this.#states[side].get(option) ?? 'no';
  }

  #move(side: Side, option: number, event: Event): Outcome {
    const from = this.#state(side, option);
    const { to, send } = table[from][event];
    this.#states[side].set(option, to);
    const became = (from === 'yes') === (to === 'yes') ? undefined : to === 'yes' ? 'on' : 'off';
    const isRefused = from === 'want-yes' && to === 'no';
    return {
      side,
      option,
      ...(send && { send: words[side][send] }),
      ...(became && { became }),
      ...(isRefused && { refused: true }),
    };
  }
}

const words = {
  ours: { yes: 'WILL', no: 'WONT' },
  theirs: { yes: 'DO', no: 'DONT' },
} as const;
