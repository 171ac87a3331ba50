using System.Diagnostics;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Documents;

namespace ResumableUploads.FunctionalTests.Repository;

/// <summary>The JavaScript client in the documents.</summary>
public class ClientScriptTests
{
    /// <summary>
    /// Uploads three files at the same time. The response to the first request sets the cookie of an anonymous browser, so no other request is sent before
    /// it has arrived.
    /// </summary>
    private const string ConcurrentUploads = """
        const requests = [];
        let respond;
        const firstResponse = new Promise(resolve => { respond = resolve; });
        globalThis.fetch = async (url, options = {}) => {
          requests.push(`${options.method ?? 'GET'} ${url}`);
          await firstResponse;
          return options.method === 'POST' ? new Response('', { headers: { 'X-Upload-Complete': 'true' } }) : new Response('0');
        };
        const uploads = [1, 2, 3].map(size => upload(new File(['a'.repeat(size)], 'f')));
        while (requests.length === 0) await new Promise(resolve => setImmediate(resolve));
        for (let i = 0; i < 1000; i++) await new Promise(resolve => setImmediate(resolve));
        const early = requests.length;
        respond();
        const responses = await Promise.all(uploads);
        console.log(early, responses.every(response => response.ok), requests.filter(request => request.startsWith('POST')).length);
        """;

    /// <summary>Uploads 5 MB. The second chunk stalls, and a second call continues after the first chunk.</summary>
    private const string StalledUpload = """
        const timeouts = [];
        AbortSignal.timeout = () => {
          const timeout = new AbortController();
          timeouts.push(timeout);
          return timeout.signal;
        };
        const sizes = [];
        let offset = 0;
        globalThis.fetch = async (url, { method, headers, body, signal }) => {
          if (method !== 'POST') return new Response(offset);
          sizes.push(body.size);
          if (sizes.length === 2) {
            return new Promise((_, reject) => {
              signal.addEventListener('abort', () => reject(signal.reason));
              timeouts.at(-1).abort(new DOMException('', 'TimeoutError'));
            });
          }
          offset += body.size;
          return new Response('', { headers: { 'X-Start-Byte': offset, 'X-Upload-Complete': offset === headers['X-File-Size'] } });
        };
        const file = new File([new Uint8Array(5_000_000)], 'f');
        const error = await upload(file).catch(error => error.name);
        const response = await upload(file);
        console.log(error, response.ok, sizes.join());
        """;

    /// <summary>The session ends before the content is sent, so that fetch is redirected to a sign-in page.</summary>
    private const string SignInPage = """
        globalThis.fetch = async (url, { method }) => new Response(method === 'POST' ? '<html>' : '0');
        console.log((await upload(new File(['a'], 'f'))).type);
        """;

    public static TheoryData<string> Documents => ["README.md", "docs/clients/README.md", "docs/getting-started.md"];

    [Theory]
    [MemberData(nameof(Documents))]
    public async Task Client_sends_its_first_request_alone(string document) => Assert.Equal("1 true 3", await RunClientAsync(document, ConcurrentUploads));

    [Theory]
    [MemberData(nameof(Documents))]
    public async Task Client_fails_if_chunk_stalls_and_continues_after_it(string document) =>
        Assert.Equal("TimeoutError true 2000000,2000000,2000000,1000000", await RunClientAsync(document, StalledUpload));

    [Theory]
    [MemberData(nameof(Documents))]
    public async Task Client_does_not_take_sign_in_page_for_success(string document) => Assert.Equal("error", await RunClientAsync(document, SignInPage));

    private static async Task<string> RunClientAsync(string document, string script)
    {
        Needs.Require(await Needs.RunAsync("node", "--version") is 0, "node is not installed.");
        CodeBlock block = new MarkdownDocument(RepositoryFiles.Read(document)).Blocks("js", "html")
            .First(static block => block.Code.Contains("async function upload(file)", StringComparison.Ordinal));
        return await RunAsync(GetFunctions(block.Code) + script);
    }

    /// <summary>Returns the two functions of the client, without the page around them.</summary>
    private static string GetFunctions(string code)
    {
        int start = code.IndexOf("let ready", StringComparison.Ordinal);
        start = start < 0 ? code.IndexOf("async function upload(file)", StringComparison.Ordinal) : start;
        int getFileId = code.IndexOf("async function getFileId(file)", StringComparison.Ordinal);
        int end = code.IndexOf("}`);", getFileId, StringComparison.Ordinal);
        return code[start..(code.IndexOf('}', end + 4) + 1)] + "\n";
    }

    private static async Task<string> RunAsync(string script)
    {
        using Process node = Process.Start(
            new ProcessStartInfo("node", ["--input-type=module", "-"]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> errors = node.StandardError.ReadToEndAsync();
        await node.StandardInput.WriteAsync(script);
        node.StandardInput.Close();
        string output = (await node.StandardOutput.ReadToEndAsync()).Trim();
        return output.Length > 0 ? output : await errors;
    }
}
