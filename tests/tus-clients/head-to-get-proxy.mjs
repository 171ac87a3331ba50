import { once } from 'node:events';
import { createServer, request } from 'node:http';

/** An HTTP proxy that converts HEAD to GET, as caches do. The client gets the headers of the response to GET, without its body. */
export class HeadToGetProxy {
  #server;

  static async open(endpoint) {
    const target = new URL(endpoint);
    const proxy = new HeadToGetProxy();
    proxy.#server = createServer((incoming, response) => {
      const method = incoming.method === 'HEAD' ? 'GET' : incoming.method;
      const outgoing = request({ host: target.hostname, port: target.port, path: incoming.url, method, headers: incoming.headers });
      outgoing.on('response', answer => {
        response.writeHead(answer.statusCode, answer.headers);
        answer.pipe(response);
      });
      outgoing.on('error', () => response.destroy());
      // A client that stops sending also ends the request to the server.
      response.on('close', () => outgoing.destroy());
      incoming.pipe(outgoing);
    });
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    proxy.endpoint = endpoint.replace(target.host, `127.0.0.1:${proxy.#server.address().port}`);
    return proxy;
  }

  close() {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
