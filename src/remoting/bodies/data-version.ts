import { defineBody, integer, type Of, withDefault } from '../shape.ts'

/** RocketMQ DataVersion. `stateVersion` is the term of the leader that made the change. */
export const DataVersion = defineBody({
  counter: withDefault(integer, 0),
  stateVersion: withDefault(integer, 0),
  timestamp: withDefault(integer, 0),
})
export type DataVersion = Of<typeof DataVersion>

export const noDataVersion: DataVersion = { counter: 0, stateVersion: 0, timestamp: 0 }

/** Positive when `a` is the newer one (RocketMQ DataVersion.compare: state, then counter, then time). */
export function compareDataVersions(a: DataVersion, b: DataVersion): number {
  return a.stateVersion - b.stateVersion || a.counter - b.counter || a.timestamp - b.timestamp
}

export function sameDataVersion(a: DataVersion, b: DataVersion): boolean {
  return compareDataVersions(a, b) === 0
}
