/**
 * `node:diagnostics_channel` hooks, for tracing and metrics. Publishing costs nothing while nobody listens.
 *
 * | channel | when | message |
 * | --- | --- | --- |
 * | `raftmq:client:send` | an attempt to send leaves | `SendEvent` |
 * | `raftmq:client:acknowledged` | a send ended well | `SendEvent` with `durationMs` |
 * | `raftmq:client:failed` | a send ended badly | `SendEvent` with `durationMs`, `error` |
 * | `raftmq:client:receive` | a message goes to a handler | `ReceiveEvent` |
 * | `raftmq:client:consumed` | a handler is done | `ReceiveEvent` with `durationMs`, `error` if it failed |
 * | `raftmq:client:rebalance` | the queues of a consumer changed | `RebalanceEvent` |
 * | `raftmq:client:route` | a topic's route is new or different | `RouteEvent` |
 */
import { channel } from 'node:diagnostics_channel'
import type { MessageQueue } from './message-queue.ts'

export interface SendEvent {
  readonly queue: MessageQueue | undefined
  readonly topic: string
  readonly messageId: string
  /** From 1. */
  readonly attempt: number
  readonly durationMs?: number
  readonly error?: Error
}

export interface ReceiveEvent {
  readonly group: string
  readonly queue: MessageQueue
  readonly queueOffset: number
  readonly durationMs?: number
  readonly error?: Error
}

export interface RebalanceEvent {
  readonly group: string
  readonly topic: string
  readonly queues: readonly MessageQueue[]
}

export interface RouteEvent {
  readonly topic: string
  /** Broker name → address of its leader, if it has one. */
  readonly leaders: Readonly<Record<string, string | undefined>>
}

export const channels = {
  send: channel('raftmq:client:send'),
  acknowledged: channel('raftmq:client:acknowledged'),
  failed: channel('raftmq:client:failed'),
  receive: channel('raftmq:client:receive'),
  consumed: channel('raftmq:client:consumed'),
  rebalance: channel('raftmq:client:rebalance'),
  route: channel('raftmq:client:route'),
} as const
