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

    [Theory]
    [InlineData("README.md")]
    [InlineData("docs/clients/README.md")]
    [InlineData("docs/getting-started.md")]
    public async Task Client_sends_its_first_request_alone(string document)
    {
        Needs.Require(await Needs.RunAsync("node", "--version") is 0, "node is not installed.");
        CodeBlock block = new MarkdownDocument(RepositoryFiles.Read(document)).Blocks("js", "html")
            .First(static block => block.Code.Contains("async function upload(file)", StringComparison.Ordinal));
        Assert.Equal("1 true 3", await RunAsync(GetFunctions(block.Code) + ConcurrentUploads));
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
