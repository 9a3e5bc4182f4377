import { describe, expect, test } from 'vitest'
import { TrustFile } from '../../../src/store/trust-file.ts'
import { FaultyFileSystem } from '../../support/faulty-file-system.ts'

const PATH = 'data/trust'

async function disk(): Promise<FaultyFileSystem> {
  const made = new FaultyFileSystem()
  await made.mkdir('data')
  return made
}

async function left(files: FaultyFileSystem, bootId: string | null, unsynced: boolean): Promise<void> {
  const trust = await TrustFile.open(files, PATH, bootId)
  await trust.beginUnsynced()
  if (!unsynced) await trust.endUnsynced()
  await trust.close()
}

describe('a log is in doubt', () => {
  test.each([
    // found boot, boot now, unsynced, last stop, in doubt
    ['a', 'b', true, 'unclean', true],
    ['a', 'b', true, 'clean', false],
    ['a', 'b', false, 'unclean', false],
    ['a', 'a', true, 'unclean', false],
    // Without a boot id only a clean stop counts.
    [null, null, true, 'unclean', true],
    [null, null, true, 'clean', false],
    [null, 'b', true, 'unclean', true],
    ['a', null, true, 'unclean', true],
  ] as const)('boot %s, then %s; unsynced %s; %s: %s', async (before, now, unsynced, lastStop, isInDoubt) => {
    const files = await disk()
    await left(files, before, unsynced)
    const trust = await TrustFile.open(files, PATH, now)
    expect(trust.isInDoubt(lastStop)).toBe(isInDoubt)
    await trust.close()
  })

  test('never in a new folder', async () => {
    const trust = await TrustFile.open(await disk(), PATH, 'a')
    expect(trust.isInDoubt('unclean')).toBe(false)
    await trust.close()
  })

  test('by the boot in which the last unsynced answer was given', async () => {
    const files = await disk()
    await left(files, 'a', true)
    await left(files, 'b', true)
    const trust = await TrustFile.open(files, PATH, 'b')
    expect(trust.isInDoubt('unclean')).toBe(false)
    await trust.close()
  })
})

test('the boot in which a node ran last is known, also when it was in sync flush all the time', async () => {
  const files = await disk()
  const ran = async (bootId: string | null): Promise<boolean> => {
    const trust = await TrustFile.open(files, PATH, bootId)
    const { isSameBoot } = trust
    await trust.endUnsynced()
    await trust.close()
    return isSameBoot
  }
  expect([await ran('a'), await ran('a'), await ran('b'), await ran(null), await ran(null)]).toEqual([
    false,
    true,
    false,
    false,
    false,
  ])
})
