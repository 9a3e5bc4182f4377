import { expect, test } from 'vitest'
import { readSendAnswer } from '../../src/client/producer/send-answer.ts'
import { SerializeType } from '../../src/remoting/codes.ts'
import { decodeCommand } from '../../src/remoting/command.ts'
import { encodeFrame } from '../../src/remoting/frame-writer.ts'

const header = {
  msgId: '7F00000100002A9F00000000000000AB',
  queueId: 3,
  queueOffset: 4_294_967_296,
  transactionId: 'U1',
  recallHandle: 'aGFuZGxl',
}

test.each(Object.entries(SerializeType))('the answer to a send is read in the form %s', (_name, form) => {
  const frame = encodeFrame({ form, code: 0, language: 0, version: 479, opaque: 5, flag: 1 }, { header })
  expect(readSendAnswer(decodeCommand(frame, 4))).toEqual({
    code: 0,
    remark: undefined,
    offsetMessageId: header.msgId,
    queueId: 3,
    queueOffset: 4_294_967_296,
    recallHandle: 'aGFuZGxl',
  })
})
