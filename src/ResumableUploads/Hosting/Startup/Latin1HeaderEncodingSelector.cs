using System.Text;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using ResumableUploads.Protocols.FileId;

namespace ResumableUploads.Hosting.Startup;

/// <summary>
/// Browsers send header values as ISO-8859-1 bytes, and Kestrel refuses what is no UTF-8 before any middleware runs. This reads the two
/// headers that carry names byte by byte, and leaves every other to the app's own selector (F-2).
/// </summary>
internal sealed class Latin1HeaderEncodingSelector
{
    private readonly Func<string, Encoding?> _fallback;

    private Latin1HeaderEncodingSelector(Func<string, Encoding?> others) => _fallback = others;

    /// <summary>Sets a server up; once, however often it is called.</summary>
    public static void Install(KestrelServerOptions server)
    {
        if (server.RequestHeaderEncodingSelector.Target is not Latin1HeaderEncodingSelector)
        {
            server.RequestHeaderEncodingSelector = new Latin1HeaderEncodingSelector(server.RequestHeaderEncodingSelector).Select;
        }
    }

    private Encoding? Select(string name) => FileIdHeaders.AllowsRawBytes(name) ? Encoding.Latin1 : _fallback(name);
}
