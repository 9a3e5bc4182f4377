/**
 * Faults planted on purpose, to see that the checkers bite. Each is a replacement of text in a copy of `src/raft`: the
 * code itself knows nothing of them, and a mutant whose text is gone fails instead of passing.
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Scope } from './run-seed.ts'
import type { ReplicaClass } from './simulation.ts'

export interface Mutant {
  readonly name: string
  /** Under `src/raft`. */
  readonly file: string
  readonly find: string
  readonly replace: string
  /** The script that catches it, without its ending. */
  readonly script?: string
  /** Or the scope of which one of the first seeds does. */
  readonly scope?: Scope
  /** What happens elsewhere when the rule is dropped. */
  readonly known: string
}

export const mutants: readonly Mutant[] = [
  {
    name: 'acks leave before the sync',
    file: 'outbox.ts',
    find: 'batch.logSequence > this.#logDone',
    replace: 'batch.logSequence < 0',
    script: 'acks-wait-for-the-disk',
    known: 'DLedger T1',
  },
  {
    name: 'entries of older terms are committed by counting',
    file: 'leader.ts',
    find: '|| node.log.termAt(match) !== node.term',
    replace: '',
    script: 'figure-8',
    known: 'DLedger T4, NATS 7955, Raft figure 8',
  },
  {
    name: 'a vote leaves before it is saved',
    file: 'outbox.ts',
    find: 'batch.hardSequence > this.#hardDone',
    replace: 'batch.hardSequence < 0',
    script: 'vote-leaves-after-it-is-saved',
    known: 'DLedger T3',
  },
  {
    name: 'a vote is forgotten at the restart',
    file: 'replica.ts',
    find: 'const hardState = stableStore.load()',
    replace: 'const hardState = { ...stableStore.load(), vote: null }',
    script: 'vote-survives-a-crash',
    known: 'NATS: repeated votes in a term',
  },
  {
    name: 'appends of a term that is over are obeyed',
    file: 'core.ts',
    find: 'if (message.term < node.term) return this.#answerStale(message)',
    replace: "if (message.term < node.term && message.type !== 'append') return this.#answerStale(message)",
    script: 'stale-append-is-fenced',
    known: 'DLedger T2',
  },
  {
    name: 'what a restarted peer had matched is kept',
    file: 'progress.ts',
    find: '    this.session = session\n    this.match = 0\n',
    replace: '',
    script: 'restarted-peer-starts-from-nothing',
    known: 'RaftMQ issue 3, incarnations',
  },
  {
    name: 'the own append counts before it is synced',
    file: 'leader.ts',
    find: 'this.#progressOf(id)?.countedMatch ?? 0)',
    replace: 'id === node.id ? node.log.lastIndex : (this.#progressOf(id)?.countedMatch ?? 0))',
    script: 'own-append-waits-for-the-disk',
    known: 'thesis 10.2.1',
  },
  {
    name: 'an empty node votes',
    file: 'node-state.ts',
    find: 'return this.#hard.filled\n',
    replace: 'return true\n',
    script: 'empty-disk-does-not-vote',
    known: 'NATS 7567, TigerBeetle format hazard',
  },
  {
    name: 'acks of a node that is being filled count',
    file: 'progress.ts',
    find: 'return this.filling === 0 ? this.match : 0',
    replace: 'return this.match',
    script: 'empty-disk-is-filled-by-a-real-leader',
    known: 'untrusted log rule',
  },
  {
    name: 'a payload that was read too late is sent anyway',
    file: 'shipper.ts',
    find: 'if (this.#stopped || core.leading !== leader) return false',
    replace: 'if (this.#stopped) return false',
    script: 'late-payload',
    known: 'house rule: a range is void once its term is over',
  },
  {
    name: 'stable does not go back with a truncation',
    file: 'outbox.ts',
    find: 'batch.lastIndex = Math.min(batch.lastIndex, index)',
    replace: 'batch.lastIndex = Math.max(batch.lastIndex, 0)',
    script: 'truncation-takes-back-what-was-stable',
    known: 'rabbitmq/ra 637',
  },
  {
    name: 'a vote is given to a shorter log',
    file: 'log-runs.ts',
    find: 'return last.index >= this.lastIndex',
    replace: 'return true',
    scope: 'three',
    known: 'Raft 5.4.1',
  },
  {
    name: 'no empty entry at an election',
    file: 'leader.ts',
    find: 'this.#firstIndex = this.#appendEmpty()',
    replace: 'this.#firstIndex = node.log.lastIndex',
    scope: 'three',
    known: 'DLedger T5',
  },
  {
    name: 'a read is served without asking a quorum',
    file: 'leader.ts',
    find: 'return progress === undefined || progress.filling !== 0 ? 0 : progress.round',
    replace: 'return Infinity',
    script: 'read-index',
    known: 'thesis 6.4',
  },
  {
    name: 'a joint change needs the new majority only',
    file: 'quorum.ts',
    find: 'return membership.outgoing.length === 0 ? value : Math.min(value, reached(membership.outgoing, valueOf))',
    replace: 'return value',
    scope: 'changes',
    known: 'thesis 4.3, NATS 7545',
  },
]

const source = fileURLToPath(new URL('../../src', import.meta.url))

/** The driver with `mutant` in it, and how to throw it away. */
export async function plant(mutant: Mutant): Promise<{ readonly Replica: ReplicaClass; readonly remove: () => void }> {
  const folder = mkdtempSync(join(tmpdir(), 'raft-mutant-'))
  mkdirSync(join(folder, 'raft'))
  cpSync(join(source, 'raft'), join(folder, 'raft'), { recursive: true })
  symlinkSync(join(source, 'lib'), join(folder, 'lib'))
  const path = join(folder, 'raft', mutant.file)
  const text = readFileSync(path, 'utf8')
  if (text.split(mutant.find).length !== 2)
    throw new Error(`mutant "${mutant.name}": its text is not in ${mutant.file} once`)
  writeFileSync(
    path,
    text.replace(mutant.find, () => mutant.replace),
  )
  const module: { Replica: ReplicaClass } = await import(/* @vite-ignore */ join(folder, 'raft', 'replica.ts'))
  return { Replica: module.Replica, remove: () => rmSync(folder, { recursive: true }) }
}
