import { fc, it } from '@fast-check/vitest'
import { expect } from 'vitest'
import { offsetMessageIds } from '../../src/message/offset-message-ids.ts'
import { encodeOffsetMessageId } from '../../src/message/message-id.ts'

const storeHost = { ip: Uint8Array.of(10, 0, 0, 7), port: 10_911 }
const offset = fc.oneof(
  fc.nat(200_000),
  fc.maxSafeNat(),
  fc.constantFrom(65_535, 65_536, 2 ** 32 - 1, 2 ** 32, 2 ** 48),
)

it.prop([fc.array(offset, { maxLength: 20 })])(
  'the ids made one after another are those that each offset has by itself',
  (offsets) => {
    const idOf = offsetMessageIds(storeHost)
    expect(offsets.map(idOf)).toEqual(offsets.map((one) => encodeOffsetMessageId(storeHost, one)))
  },
)
