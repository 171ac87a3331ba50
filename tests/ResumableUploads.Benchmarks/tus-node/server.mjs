// @tus/server with its file store, configured as documented. Prints its port and exits when standard input ends.
import { createServer } from 'node:http'
import { FileStore } from '@tus/file-store'
import { Server } from '@tus/server'

const tus = new Server({ path: '/upload', datastore: new FileStore({ directory: process.argv[2] }) })

const server = createServer((request, response) => tus.handle(request, response))
// Node limits requests to five minutes by default. The other servers have no such limit.
server.requestTimeout = 0
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
process.stdin.on('close', () => process.exit(0)).resume()
