using ResumableUploads.Client.Protocols;

namespace ResumableUploads.UnitTests.Client;

/// <summary>Creates responses of a server.</summary>
internal static class ClientResponses
{
    public static readonly Uri Endpoint = new("https://example.com/upload");

    /// <param name="statusCode">The status code.</param>
    /// <param name="headers">The headers, as <c>Name: value</c> separated by line feeds.</param>
    /// <param name="problem">The type of the problem in the body, without the prefix <c>urn:resumable-uploads:</c>.</param>
    /// <param name="finalUri">The URL after redirects.</param>
    public static ServerResponse Create(int statusCode, string headers = "", string? problem = null, Uri? finalUri = null)
    {
        var all = new Dictionary<string, IReadOnlyList<string>>(StringComparer.OrdinalIgnoreCase);
        foreach (string line in headers.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] parts = line.Split(": ", 2);
            all[parts[0]] = all.TryGetValue(parts[0], out IReadOnlyList<string>? earlier) ? [.. earlier, parts[1]] : [parts[1]];
        }

        byte[] body = [];
        if (problem is not null)
        {
            all["Content-Type"] = ["application/problem+json; charset=utf-8"];
            body = JsonBody(problem);
        }

        return new ServerResponse(statusCode, all, body, Endpoint) { Uri = finalUri ?? Endpoint };
    }

    private static byte[] JsonBody(string type) => System.Text.Encoding.UTF8.GetBytes(
        $$"""{"type":"{{(type.Contains(':') ? type : "urn:resumable-uploads:" + type)}}","title":"A title","detail":"A detail","expected-offset":7}""");
}
