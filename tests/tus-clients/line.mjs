import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/** A line to a server on which a connection can go silent at an exact byte. */
export class Line {
  #carried = 0;
  #silence = null;
  #sockets = new Set();
  #server;

  /** Whether the server learns that a client has gone, or keeps a connection that nobody holds any more. */
  tellsServer = true;

  static async open(endpoint) {
    const line = new Line();
    const target = new URL(endpoint);
    line.#server = createServer(client => line.#carry(client, Number(target.port)));
    line.#server.listen(0, '127.0.0.1');
    await once(line.#server, 'listening');
    line.endpoint = endpoint.replace(target.host, `127.0.0.1:${line.#server.address().port}`);
    return line;
  }

  /** Resolves when so many more bytes have gone to the server; the connection that carried the last of them carries nothing more. */
  silentAfter(bytes) {
    return new Promise(resolve => {
      this.#silence = { at: this.#carried + bytes, resolve };
    });
  }

  close() {
    this.#server.close();
    this.#sockets.forEach(socket => socket.destroy());
  }

  #carry(client, port) {
    const server = connect(port, '127.0.0.1');
    let isSilent = false;
    client.on('data', chunk => {
      if (isSilent) {
        return;
      }

      const left = this.#silence ? this.#silence.at - this.#carried : Infinity;
      const part = chunk.subarray(0, left);
      this.#carried += part.length;
      if (!server.write(part)) {
        client.pause();
      }

      if (chunk.length >= left) {
        isSilent = true;
        const gone = new Promise(resolve => client.once('close', resolve));
        this.#silence.resolve({ gone });
        this.#silence = null;
        client.resume();
      }
    });
    server.on('drain', () => client.resume());
    server.on('data', chunk => client.write(chunk));
    client.on('close', () => this.tellsServer && server.destroy());
    server.on('close', () => client.destroy());
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket));
    }
  }
}
