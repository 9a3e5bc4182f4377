/**
 * What a leader's driver sends to each peer beside the core's own messages: entries, read from the store as each
 * window takes them, and resets.
 */
import type { Log } from '../lib/log.ts'
import { errorMessage } from '../lib/errors.ts'
import type { RaftConfig } from './config.ts'
import type { RaftCore } from './core.ts'
import type { Leader } from './leader.ts'
import type { Wanted } from './replication.ts'
import type { Message, ResetReply } from './message.ts'
import type { EntryBytes, LogStore } from './ports.ts'
import { ResetSender } from './reset-sender.ts'
import type { NodeId } from './types.ts'

export interface ShipperNeeds {
  readonly core: RaftCore
  readonly store: Pick<LogStore<unknown>, 'read' | 'openReset' | 'state'>
  readonly config: RaftConfig
  readonly log: Log
  readonly send: (message: Message, payload: readonly Uint8Array[]) => void
  /** Does `work` in a turn of its own: a read ended. */
  readonly later: (work: () => void) => void
}

export class Shipper {
  readonly #need: ShipperNeeds
  readonly #senders = new Map<NodeId, ResetSender>()
  readonly #reading = new Set<NodeId>()
  #unreadable: NodeId[] = []
  #resets = 0
  #stopped = false

  constructor(need: ShipperNeeds) {
    this.#need = need
  }

  /** Sends every peer of `leader` what it may be sent now. */
  ship(leader: Leader): void {
    for (const [peer, progress] of leader.progress) {
      if (progress.state === 'reset') this.#reset(leader, peer, progress.session)
      else this.#pump(leader, peer)
    }
  }

  replied(message: ResetReply): void {
    this.#senders.get(message.from)?.replied(message)
  }

  tick(nowMs: number): void {
    for (const sender of this.#senders.values()) sender.tick(nowMs)
    for (const peer of this.#unreadable) this.#reading.delete(peer)
    this.#unreadable = []
  }

  /** Ends resets that nobody waits for any more. */
  tidy(): void {
    for (const [peer, sender] of this.#senders) {
      const progress = this.#need.core.leading?.progress.get(peer)
      if (progress?.state === 'reset' && progress.session === sender.session) continue
      sender.close()
      this.#senders.delete(peer)
    }
  }

  stop(): void {
    this.#stopped = true
    for (const sender of this.#senders.values()) sender.close()
  }

  /** One read a peer at a time, so that appends leave in order. */
  #pump(leader: Leader, peer: NodeId): void {
    if (this.#reading.has(peer)) return
    const { store, config, log, later } = this.#need
    for (let want = leader.wants(peer); want !== undefined; want = leader.wants(peer)) {
      const wanted = want
      const read = store.read(want.first, want.last, config.maxAppendBytes)
      if (!(read instanceof Promise)) {
        if (!this.#append(leader, peer, wanted, read)) return
        continue
      }
      this.#reading.add(peer)
      read.then(
        (entries) => {
          this.#reading.delete(peer)
          later(() => this.#append(leader, peer, wanted, entries))
        },
        (error: unknown) => {
          // Tried again with the next tick, not in every turn.
          this.#unreadable.push(peer)
          log.warn({ peer, reason: errorMessage(error) }, 'entries could not be read for a peer')
        },
      )
      return
    }
  }

  /** A range is void once its term is over: bytes read for a leadership that ended are not sent. */
  #append(leader: Leader, peer: NodeId, want: Wanted, entries: EntryBytes | undefined): boolean {
    const { core, store, send } = this.#need
    if (this.#stopped || core.leading !== leader) return false
    if (entries === undefined) {
      core.logStartMoved(store.state().start)
      return false
    }
    let bytes = 0
    for (const part of entries.bytes) bytes += part.byteLength
    const message = leader.append(peer, want, entries.last, bytes)
    if (message === undefined) return false
    send(message, entries.bytes)
    return true
  }

  #reset(leader: Leader, peer: NodeId, session: number): void {
    const running = this.#senders.get(peer)
    if (running !== undefined && !running.isClosed && running.session === session) return
    running?.close()
    const { core, store, config, log, send } = this.#need
    const reset = ++this.#resets
    log.info({ peer }, 'a follower is behind the start of the log and is reset')
    const sender = new ResetSender({
      peer,
      session,
      reset,
      chunkBytes: config.resetChunkBytes,
      repeatMs: config.electionTimeoutMinMs,
      open: () => store.openReset(),
      send: (meta, position, payload) => {
        if (core.leading !== leader) return false
        const message = leader.resetChunk(peer, session, reset, meta, position)
        if (message !== undefined) send(message, payload)
        return message !== undefined
      },
      failed: (error) => log.warn({ peer, reason: errorMessage(error) }, 'a reset could not be read'),
    })
    this.#senders.set(peer, sender)
  }
}
