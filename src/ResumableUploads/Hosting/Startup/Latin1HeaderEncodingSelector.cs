using System.Text;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using ResumableUploads.Protocols.FileId;

namespace ResumableUploads.Hosting.Startup;

/// <summary>
/// Reads the file id and file name headers as ISO-8859-1. Browsers send header values in that encoding, and Kestrel rejects a request whose headers are
/// not valid UTF-8 before any middleware runs. Other headers keep the encoding that the app has selected.
/// </summary>
internal sealed class Latin1HeaderEncodingSelector
{
    private readonly Func<string, Encoding?> _fallback;

    private Latin1HeaderEncodingSelector(Func<string, Encoding?> fallback) => _fallback = fallback;

    /// <summary>Installs the selector, if it is not installed yet.</summary>
    public static void Install(KestrelServerOptions server)
    {
        if (server.RequestHeaderEncodingSelector.Target is not Latin1HeaderEncodingSelector)
        {
            server.RequestHeaderEncodingSelector = new Latin1HeaderEncodingSelector(server.RequestHeaderEncodingSelector).Select;
        }
    }

    private Encoding? Select(string name) => FileIdHeaders.AllowsRawBytes(name) ? Encoding.Latin1 : _fallback(name);
}
