import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/** A TCP proxy that can stop forwarding a connection after an exact number of bytes, without closing it. */
export class SilencingProxy {
  #forwardedBytes = 0;
  #silence = null;
  #sockets = new Set();
  #server;

  /** Whether the connection to the server is closed when the client disconnects. If false, the server keeps a half-open connection. */
  closesServerConnection = true;

  static async open(endpoint) {
    const proxy = new SilencingProxy();
    const target = new URL(endpoint);
    proxy.#server = createServer(client => proxy.#forward(client, Number(target.port)));
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    proxy.endpoint = endpoint.replace(target.host, `127.0.0.1:${proxy.#server.address().port}`);
    return proxy;
  }

  /** Resolves when the specified number of further bytes was forwarded. The connection that forwarded the last of them forwards no more. */
  silentAfter(bytes) {
    return new Promise(resolve => {
      this.#silence = { at: this.#forwardedBytes + bytes, resolve };
    });
  }

  close() {
    this.#server.close();
    this.#sockets.forEach(socket => socket.destroy());
  }

  #forward(client, port) {
    const server = connect(port, '127.0.0.1');
    let isSilent = false;
    client.on('data', chunk => {
      if (isSilent) {
        return;
      }

      const remaining = this.#silence ? this.#silence.at - this.#forwardedBytes : Infinity;
      const part = chunk.subarray(0, remaining);
      this.#forwardedBytes += part.length;
      if (!server.write(part)) {
        client.pause();
      }

      if (chunk.length >= remaining) {
        isSilent = true;
        const disconnected = new Promise(resolve => client.once('close', resolve));
        this.#silence.resolve({ disconnected });
        this.#silence = null;
        client.resume();
      }
    });
    server.on('drain', () => client.resume());
    server.on('data', chunk => client.write(chunk));
    client.on('close', () => this.closesServerConnection && server.destroy());
    server.on('close', () => client.destroy());
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket));
    }
  }
}
