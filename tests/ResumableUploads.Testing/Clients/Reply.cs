using System.Text;
using System.Text.RegularExpressions;

namespace ResumableUploads.Testing.Clients;

/// <summary>An answer as text that can be compared: status, all headers that an app can set, and the body.</summary>
internal static partial class Reply
{
    /// <summary>Headers of the server and of the protocol: the app has not set them.</summary>
    private static readonly string[] NotTheApps = ["Date", "Server", "Content-Length", "Transfer-Encoding", "X-Start-Byte", "X-Upload-Complete"];

    /// <param name="answer">The answer.</param>
    /// <param name="isOurs">Whether the app has said nothing on caching, so that the package has.</param>
    public static async Task<string> OfAsync(HttpResponseMessage answer, bool isOurs = false)
    {
        var text = new StringBuilder().Append((int)answer.StatusCode).Append('\n');
        foreach ((string name, IEnumerable<string> values) in answer.Headers.Concat(answer.Content.Headers).OrderBy(static header => header.Key, StringComparer.Ordinal))
        {
            string value = string.Join(" | ", values);
            if (!NotTheApps.Contains(name, StringComparer.OrdinalIgnoreCase) && !(isOurs && name == "Cache-Control" && value == "no-store"))
            {
                text.Append(name).Append(": ").Append(value).Append('\n');
            }
        }

        byte[] body = await answer.Content.ReadAsByteArrayAsync();
        return text.Append('\n').Append(TraceId().Replace(Encoding.Latin1.GetString(body), "")).ToString();
    }

    /// <summary>MVC's problems name the request, which is another each time.</summary>
    [GeneratedRegex("\"traceId\":\"[0-9a-f-]*\"", RegexOptions.CultureInvariant)]
    private static partial Regex TraceId();
}
