using System.Text;
using System.Text.RegularExpressions;

namespace ResumableUploads.Testing.Clients;

/// <summary>Formats a response as text for comparison: status code, the headers that an app can set, and the body.</summary>
internal static partial class Reply
{
    /// <summary>Headers that the server or the protocol sets.</summary>
    private static readonly string[] NotSetByApp = ["Date", "Server", "Content-Length", "Transfer-Encoding", "X-Start-Byte", "X-Upload-Complete", "X-Upload-Replayed"];

    /// <param name="answer">The response.</param>
    /// <param name="isOurs">Whether the package has set <c>Cache-Control</c>, because the app has not.</param>
    public static async Task<string> OfAsync(HttpResponseMessage answer, bool isOurs = false)
    {
        var text = new StringBuilder().Append((int)answer.StatusCode).Append('\n');
        foreach ((string name, IEnumerable<string> values) in answer.Headers.Concat(answer.Content.Headers).OrderBy(static header => header.Key, StringComparer.Ordinal))
        {
            string value = string.Join(" | ", values);
            if (!NotSetByApp.Contains(name, StringComparer.OrdinalIgnoreCase) && !(isOurs && name == "Cache-Control" && value == "no-store"))
            {
                text.Append(name).Append(": ").Append(value).Append('\n');
            }
        }

        byte[] body = await answer.Content.ReadAsByteArrayAsync();
        return text.Append('\n').Append(TraceId().Replace(Encoding.Latin1.GetString(body), "")).ToString();
    }

    /// <summary>MVC adds a trace id to problems, which differs with each request.</summary>
    [GeneratedRegex("\"traceId\":\"[0-9a-f-]*\"", RegexOptions.CultureInvariant)]
    private static partial Regex TraceId();
}
