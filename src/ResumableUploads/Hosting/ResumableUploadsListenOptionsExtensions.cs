using Microsoft.AspNetCore.Server.Kestrel.Core;
using ResumableUploads.Hosting.Interim.Http2;

namespace Microsoft.AspNetCore.Hosting;

/// <summary>Enables interim responses on a Kestrel listener.</summary>
public static class ResumableUploadsListenOptionsExtensions
{
    /// <summary>
    /// Enables <c>104 (Upload Resumption Supported)</c> responses over HTTP/2, which Kestrel cannot send by itself
    /// (<see href="https://datatracker.ietf.org/doc/draft-ietf-httpbis-resumable-upload/">draft-ietf-httpbis-resumable-upload, section 5</see>).
    /// HTTP/1.1 does not need this call; HTTP/3 is not supported. Costs one additional copy of the data sent over HTTP/2. Can be called before or
    /// after <c>UseHttps</c>, in <c>ConfigureEndpointDefaults</c>, and more than once.
    /// </summary>
    /// <param name="listenOptions">The listener.</param>
    /// <returns>The listener.</returns>
    public static ListenOptions UseResumableUploadInterimResponses(this ListenOptions listenOptions)
    {
        ArgumentNullException.ThrowIfNull(listenOptions);
        listenOptions.Use(static next => connection => InterimConnectionContext.RunAsync(connection, next));
        return listenOptions;
    }
}
