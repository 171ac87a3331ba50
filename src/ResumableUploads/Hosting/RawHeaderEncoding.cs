using System.Text;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using ResumableUploads.Protocols.FileId;

namespace ResumableUploads;

/// <summary>
/// Browsers send header values as ISO-8859-1 bytes, and Kestrel refuses what is no UTF-8 before any middleware runs. This reads the two
/// headers that carry names byte by byte, and leaves every other to the app's own selector (F-2).
/// </summary>
internal sealed class RawHeaderEncoding
{
    private readonly Func<string, Encoding?> _others;

    private RawHeaderEncoding(Func<string, Encoding?> others) => _others = others;

    /// <summary>Sets a server up; once, however often it is called.</summary>
    public static void Install(KestrelServerOptions server)
    {
        if (server.RequestHeaderEncodingSelector.Target is not RawHeaderEncoding)
        {
            server.RequestHeaderEncodingSelector = new RawHeaderEncoding(server.RequestHeaderEncodingSelector).Select;
        }
    }

    private Encoding? Select(string name) => FileIdHeaders.IsRaw(name) ? Encoding.Latin1 : _others(name);
}
