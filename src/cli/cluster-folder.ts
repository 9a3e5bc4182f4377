/** The folder of a local cluster: `cluster.json` says what it holds; each node has `<broker>/<id>/`. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { errorCode } from '../lib/errors.ts'
import { formatProperties } from '../lib/properties.ts'
import { makeFolder } from './make-folder.ts'
import type { ClusterShape, NodePlan } from './cluster-plan.ts'

const SHAPE_FILE = 'cluster.json'

/** The shape of the cluster in `dir`, or undefined where there is none. */
export function readShape(dir: string): ClusterShape | undefined {
  let text: string
  try {
    text = readFileSync(join(dir, SHAPE_FILE), 'utf8')
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined
    throw error
  }
  const shape: unknown = JSON.parse(text)
  if (typeof shape !== 'object' || shape === null || !('nodes' in shape) || !('brokers' in shape)) return undefined
  const { nodes, brokers } = shape
  if (typeof nodes !== 'number' || typeof brokers !== 'number') return undefined
  const removed: unknown = 'removed' in shape ? shape.removed : []
  return { nodes, brokers, removed: Array.isArray(removed) ? removed.map(String) : [] }
}

export function writeShape(dir: string, { nodes, brokers, removed }: ClusterShape): void {
  makeFolder(dir)
  const shape = removed.length === 0 ? { nodes, brokers } : { nodes, brokers, removed }
  writeFileSync(join(dir, SHAPE_FILE), `${JSON.stringify(shape)}\n`)
}

/** Writes the node's `broker.properties` and gives its path. */
export function writeNodeProperties(node: NodePlan, namesrv: string): string {
  makeFolder(node.dir)
  const file = join(node.dir, 'broker.properties')
  const comment = 'Written by raftmq at every start. To keep settings of your own, copy it and use raftmq broker -c.'
  writeFileSync(file, formatProperties([...node.properties, ['namesrvAddr', namesrv]], comment))
  return file
}
