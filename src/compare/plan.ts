/** What is done, in which order, and what of it is left. Pure. */
import { setupName, setupsOf, type Fault, type Setup } from './setups.ts'

export interface Parameters {
  /** Of the group that stands beside the single node. */
  readonly nodes: number
  readonly rounds: number
  /** Kills of the leader, and as many power cuts, of each setup in each round. */
  readonly kills: number
  /** How long a load is measured. */
  readonly seconds: number
  /** Of the load whose latency is measured, and of the one under which nodes are broken. */
  readonly ratePerSecond: number
}

/** Of the load that goes as fast as it can; bodies are as long everywhere. */
export const LOAD = { bodyBytes: 128, producers: 4, inFlight: 1_024 } as const

export const FULL: Parameters = { nodes: 3, rounds: 3, kills: 4, seconds: 5, ratePerSecond: 2_000 }
export const QUICK: Parameters = { nodes: 3, rounds: 1, kills: 2, seconds: 2, ratePerSecond: 2_000 }

export type StepKind = 'speed' | Fault

export interface Step {
  /** From 1. */
  readonly round: number
  readonly setup: Setup
  readonly kind: StepKind
}

const KINDS: readonly StepKind[] = ['speed', 'kill', 'power']

/** Rounds are outermost: what else the machine does meanwhile meets all setups alike. */
export function planOf({ nodes, rounds }: Parameters): readonly Step[] {
  return Array.from({ length: rounds }, (_, at) => at + 1).flatMap((round) =>
    setupsOf(nodes).flatMap((setup) => KINDS.map((kind): Step => ({ round, setup, kind }))),
  )
}

export const stepKey = ({ round, setup, kind }: Step): string => `${round}/${setupName(setup)}/${kind}`

/** The steps of the plan that have no result yet, in its order. */
export function remaining(parameters: Parameters, done: readonly Step[]): readonly Step[] {
  const keys = new Set(done.map(stepKey))
  return planOf(parameters).filter((step) => !keys.has(stepKey(step)))
}

export function sameParameters(a: Parameters, b: Parameters): boolean {
  return parametersText(a) === parametersText(b)
}

/** As they are given to the command. */
export function parametersText({ nodes, rounds, kills, seconds, ratePerSecond }: Parameters): string {
  return `--nodes ${nodes} --rounds ${rounds} --kills ${kills} --seconds ${seconds} --rate ${ratePerSecond}`
}
