// The tus server for Node with its file store, as its page shows it. It prints its port, and ends when its input ends.
import { createServer } from 'node:http'
import { FileStore } from '@tus/file-store'
import { Server } from '@tus/server'

const tus = new Server({ path: '/upload', datastore: new FileStore({ directory: process.argv[2] }) })

const server = createServer((request, response) => tus.handle(request, response))
// Node would end a request after five minutes; ours have no such bound either.
server.requestTimeout = 0
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
process.stdin.on('close', () => process.exit(0)).resume()
