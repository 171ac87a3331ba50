using System.Text;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Net.Http.Headers;
using ResumableUploads.Protocols;
using ResumableUploads.Protocols.FileId;

namespace ResumableUploads.Hosting.Startup;

/// <summary>
/// Reads the file id and file name headers as ISO-8859-1, and <c>Content-Disposition</c> too if it is not valid UTF-8. Browsers send header values in that
/// encoding, and Kestrel rejects a request whose headers are not valid UTF-8 before any middleware runs. Other headers keep the encoding that the app has
/// selected.
/// </summary>
internal sealed class HeaderEncodingSelector
{
    private readonly Func<string, Encoding?> _fallback;

    private HeaderEncodingSelector(Func<string, Encoding?> fallback) => _fallback = fallback;

    /// <summary>Installs the selector, if it is not installed yet.</summary>
    public static void Install(KestrelServerOptions server)
    {
        if (server.RequestHeaderEncodingSelector.Target is not HeaderEncodingSelector)
        {
            server.RequestHeaderEncodingSelector = new HeaderEncodingSelector(server.RequestHeaderEncodingSelector).Select;
        }
    }

    private Encoding? Select(string name) => FileIdHeaders.AllowsRawBytes(name) ? Encoding.Latin1
        : _fallback(name) ?? (name.Equals(HeaderNames.ContentDisposition, StringComparison.OrdinalIgnoreCase) ? Utf8OrLatin1Encoding.Instance : null);
}
