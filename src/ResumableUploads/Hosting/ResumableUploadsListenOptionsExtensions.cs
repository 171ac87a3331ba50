using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using ResumableUploads;

namespace Microsoft.AspNetCore.Hosting;

/// <summary>Prepares Kestrel's listeners for resumable uploads.</summary>
public static class ResumableUploadsListenOptionsExtensions
{
    /// <summary>
    /// Lets clients of the IETF draft on HTTP/2 be told by interim responses (104) where their upload is (draft-ietf-httpbis-resumable-upload,
    /// "Upload Creation"). Without it they are told in the answer alone; HTTP/1.1 needs no set-up. Before or after <c>UseHttps</c>, and in
    /// <c>ConfigureEndpointDefaults</c>. The bytes of answers on HTTP/2 are copied once more.
    /// </summary>
    /// <param name="listenOptions">The listener.</param>
    public static ListenOptions UseResumableUploadInterimResponses(this ListenOptions listenOptions)
    {
        ArgumentNullException.ThrowIfNull(listenOptions);
        listenOptions.Use(static next => connection => next(new InterimConnection(connection)));
        return listenOptions;
    }
}
