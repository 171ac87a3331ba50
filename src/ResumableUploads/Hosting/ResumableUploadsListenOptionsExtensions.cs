using Microsoft.AspNetCore.Server.Kestrel.Core;
using ResumableUploads.Hosting.Interim.Http2;

namespace Microsoft.AspNetCore.Hosting;

/// <summary>Interim responses on an endpoint of Kestrel.</summary>
public static class ResumableUploadsListenOptionsExtensions
{
    /// <summary>
    /// Lets resumable uploads send <c>104 (Upload Resumption Supported)</c> over HTTP/2, for which Kestrel has no way of its own. HTTP/1.1 needs
    /// nothing, and HTTP/3 has none. It costs one more copy of what is sent on HTTP/2. It may stand before or after <c>UseHttps</c>, in
    /// <c>ConfigureEndpointDefaults</c>, and more than once. (IETF draft for resumable uploads, section 5.)
    /// </summary>
    /// <param name="listenOptions">The endpoint.</param>
    public static ListenOptions UseResumableUploadInterimResponses(this ListenOptions listenOptions)
    {
        ArgumentNullException.ThrowIfNull(listenOptions);
        listenOptions.Use(static next => connection => InterimConnectionContext.RunAsync(connection, next));
        return listenOptions;
    }
}
