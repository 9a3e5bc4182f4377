/** What the machine gives: files, room, links of the kernel. */
import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { present } from '../../src/lib/assert.ts'
import type { Scenario } from '../scenario.ts'

function run(command: string, args: readonly string[]): void {
  execFileSync(command, args, { stdio: 'pipe' })
}

/** Why this machine gives nobody namespaces of his own, or undefined. */
function sealed(attempt: string): () => string | undefined {
  return () => {
    if (process.platform !== 'linux') return 'it needs Linux'
    if (process.getuid?.() !== 0) return 'it needs root'
    try {
      run('unshare', ['-n', '-m', 'sh', '-c', `ip link set lo up && ${attempt}`])
      return undefined
    } catch {
      return `this machine does not let it: in namespaces of its own, ${attempt}`
    }
  }
}

export const resourceScenarios: readonly Scenario[] = [
  {
    name: 'full-tmpfs',
    family: 'resources',
    number: '23',
    hypothesis: 'A node on a small file system of its own that really fills up goes on as soon as there is room.',
    cannot: sealed('mount -t tmpfs tmpfs /mnt'),
    ownNamespaces: true,
    fault: async (scene) => {
      const node = present(scene.cluster.followers[0], 'a follower')
      const store = join(node.plan.dir, 'store')
      scene.note(`${node.id} moves to a full tmpfs`)
      await node.stop()
      const aside = `${store}-full`
      mkdirSync(aside, { recursive: true })
      run('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', aside])
      run('cp', ['-a', `${store}/.`, aside])
      run('mount', ['--bind', aside, store])
      node.start()
      // A node that finds its disk full when it starts ends, and says so: this is about one that runs.
      await scene.cluster.serving(30_000)
      await scene.acknowledged(200)
      run('sh', ['-c', `head -c 60m /dev/zero > '${aside}/ballast' 2>/dev/null || true`])
      return async () => {
        run('rm', ['-f', `${aside}/ballast`])
        await scene.acknowledged(200)
        await scene.cluster.serving(30_000)
        await node.stop()
        run('umount', [store])
        run('cp', ['-a', `${aside}/.`, store])
        run('umount', [aside])
        node.start()
      }
    },
    holdMs: 3_000,
    recoverWithinMs: 40_000,
    maxGapMs: 1_500,
  },
  {
    name: 'many-connections',
    family: 'resources',
    number: '30',
    hypothesis: 'A leader whose file descriptors are used up by idle connections goes on serving those it has.',
    cannot: () => (process.platform === 'linux' ? undefined : 'it needs prlimit'),
    fault: async (scene) => {
      const leader = await scene.cluster.led()
      const pid = present(leader.pid, 'a node that runs')
      run('prlimit', ['--pid', String(pid), '--nofile=200:'])
      scene.note(`${leader.id} may have 200 files, and gets 400 connections`)
      const sockets: Socket[] = []
      for (let at = 0; at < 400; at++) {
        const socket = connect({ host: '127.0.0.1', port: leader.plan.ports.client })
        socket.on('error', () => {})
        sockets.push(socket)
      }
      return async () => {
        for (const socket of sockets) socket.destroy()
        if (leader.pid === undefined) leader.start()
        else run('prlimit', ['--pid', String(pid), '--nofile=4096:'])
        await scene.sleep(200)
      }
    },
    holdMs: 3_000,
    recoverWithinMs: 30_000,
    maxGapMs: 5_000,
  },
  {
    name: 'netem-loss',
    family: 'network',
    number: '17',
    hypothesis:
      'With 5 % of all packets lost, 25 % out of order and 10 ms of delay on every link nothing acknowledged is lost.',
    cannot: sealed('tc qdisc add dev lo root netem delay 1ms'),
    ownNamespaces: true,
    fault: async (scene) => {
      scene.note('tc netem: loss 5 %, reorder 25 %, delay 10 ms on lo')
      run('tc', ['qdisc', 'add', 'dev', 'lo', 'root', 'netem', 'loss', '5%', 'delay', '10ms', 'reorder', '25%', '50%'])
      return () => {
        run('tc', ['qdisc', 'del', 'dev', 'lo', 'root'])
        return Promise.resolve()
      }
    },
    holdMs: 5_000,
    recoverWithinMs: 30_000,
    maxGapMs: 6_000,
  },
]
