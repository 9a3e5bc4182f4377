/** Changes of who takes part, against a model of plain sets. */
import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { changeRefusal } from '../../src/raft/member-rules.ts'
import { enterJoint, leaveJoint, membersOf, Memberships } from '../../src/raft/memberships.ts'
import type { Membership, MembershipTarget } from '../../src/raft/types.ts'

const ids = ['a', 'b', 'c', 'd', 'e', 'f']

/** Who votes, who learns, who is neither; who answers, and who has the log. */
const step = fc.record({
  roles: fc.array(fc.constantFrom('voter', 'learner', 'none'), { minLength: ids.length, maxLength: ids.length }),
  heard: fc.subarray(ids),
  caughtUp: fc.subarray(ids),
})

interface Model {
  voters: Set<string>
  learners: Set<string>
  readonly removed: Set<string>
}

const majority = (of: Iterable<string>, has: (id: string) => boolean): boolean => {
  const all = [...of]
  return all.filter(has).length * 2 > all.length
}

function mayBegin(model: Model, voters: string[], learners: string[], heard: string[], caughtUp: string[]): boolean {
  if ([...voters, ...learners].some((id) => model.removed.has(id))) return false
  for (const id of voters) {
    if (model.voters.has(id)) continue
    if (!model.learners.has(id) || !heard.includes(id) || !caughtUp.includes(id)) return false
  }
  const isHeard = (id: string): boolean => heard.includes(id)
  return voters.length > 0 && majority(voters, isHeard) && majority(model.voters, isHeard)
}

describe('changes of who takes part', () => {
  test.prop([fc.array(step, { maxLength: 12 })], { numRuns: 500 })(
    'end where they were asked to, only when a quorum of both ends answers, and nobody who left comes back',
    (steps) => {
      const model: Model = { voters: new Set(['a', 'b', 'c']), learners: new Set(), removed: new Set() }
      let membership: Membership = { voters: ['a', 'b', 'c'], outgoing: [], learners: [], clusterId: 'x' }
      for (const { roles, heard, caughtUp } of steps) {
        const voters = ids.filter((_, at) => roles[at] === 'voter')
        const learners = ids.filter((_, at) => roles[at] === 'learner')
        const places = Object.fromEntries([...voters, ...learners].map((id) => [id, `${id}:1`]))
        const target: MembershipTarget = { voters, learners, places }
        const view = {
          membership,
          isSettled: true,
          isHeard: (id: string) => heard.includes(id),
          isCaughtUp: (id: string) => caughtUp.includes(id),
        }
        const begins = changeRefusal(view, target) === undefined
        expect(begins).toBe(mayBegin(model, voters, learners, heard, caughtUp))
        if (!begins) continue
        const joint = enterJoint(membership, target)
        // Whoever decides in the middle of the change needs a majority of each end, and no vote of a learner.
        expect(new Set(joint.voters)).toEqual(new Set(voters))
        expect(new Set(joint.outgoing)).toEqual(model.voters)
        expect(joint.learners.filter((id) => model.voters.has(id))).toEqual([])
        membership = leaveJoint(joint)
        for (const id of [...model.voters, ...model.learners]) {
          if (!voters.includes(id) && !learners.includes(id)) model.removed.add(id)
        }
        model.voters = new Set(voters)
        model.learners = new Set(learners)
        expect(new Set(membership.voters)).toEqual(model.voters)
        expect(new Set(membership.learners)).toEqual(model.learners)
        expect(new Set(membership.removed ?? [])).toEqual(model.removed)
        expect(new Set(Object.keys(membership.places ?? {}))).toEqual(new Set(membersOf(membership)))
        expect(membership).toMatchObject({ outgoing: [], clusterId: 'x' })
        expect(membership.learnersNext).toBeUndefined()
      }
    },
  )

  test.prop([fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { maxLength: 20 }), fc.integer({ min: 1, max: 5 })])(
    'travel a few at a time, and all of them',
    (indexes, count) => {
      indexes.sort((a, b) => a - b)
      const memberships = new Memberships({ voters: ['a'], outgoing: [], learners: [] }, [], 0)
      for (const index of indexes) memberships.append({ index, membership: memberships.current })
      const seen: number[] = []
      for (let first = 1; first <= 60; ) {
        const last = memberships.reach(first, 60, count)
        const part = memberships.within(first, last)
        expect(last).toBeGreaterThanOrEqual(first)
        expect(part.length).toBeLessThanOrEqual(count)
        seen.push(...part.map(({ index }) => index))
        first = last + 1
      }
      expect(seen).toEqual(indexes)
    },
  )
})
