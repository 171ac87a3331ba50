using System.IO.Compression;
using System.Reflection;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.RequestDecompression;
using Microsoft.Extensions.Logging;
using ResumableUploads.Protocols;

namespace ResumableUploads.Hosting.Requests.Bodies;

/// <summary>
/// Rejects chunks whose body was decoded before it reached this library. Offsets count the bytes that the client sent, and the server cannot know
/// them from the decoded bytes: the client would resume at a wrong position.
/// </summary>
internal sealed class DecodedBodyCheck(ResumableUploadOptions options, ILogger logger)
{
    /// <summary>
    /// Assemblies whose streams decode. <c>UseRequestDecompression()</c> wraps every decoder in a stream of its own assembly, and a hand-written
    /// middleware usually sets one of the streams of <c>System.IO.Compression</c>.
    /// </summary>
    private static readonly Assembly[] DecoderAssemblies =
        [typeof(IRequestDecompressionProvider).Assembly, typeof(GZipStream).Assembly, typeof(BrotliStream).Assembly];

    private static readonly Problem DecodedBody = new(
        StatusCodes.Status415UnsupportedMediaType,
        Problem.CustomType("decoded-body"),
        "The body was decoded before it was stored",
        "The application decodes Content-Encoding before it handles uploads, so that offsets would be wrong. Nothing was stored. " +
        "Send the chunks without Content-Encoding, or ask the operator of the server to handle uploads before request decompression.");

    private int _hasLoggedError;

    /// <summary>Returns the problem of a request whose body was decoded, or <see langword="null"/>.</summary>
    public Problem? Check(UploadRequest request)
    {
        HttpContext context = request.Context;
        OriginalBodyFeature? original = context.Features.Get<OriginalBodyFeature>();
        if (original?.IsDecoded(context.Request) is not true && !IsDecoder(context.Request.Body))
        {
            return null;
        }

        original?.Restore(context.Request);

        // The cause is the same for every chunk, and a client may send many. The path of the request is not logged: the client chooses it.
        LogLevel level = Interlocked.Exchange(ref _hasLoggedError, 1) == 0 ? LogLevel.Error : LogLevel.Debug;
        Log.BodyDecoded(logger, level, request.Target?.Route.AppEndpoint.DisplayName ?? context.GetEndpoint()?.DisplayName ?? options.UploadPath);
        return DecodedBody;
    }

    /// <summary>Recognizes the decoder without <see cref="OriginalBodyFeature"/>, which only <c>AddResumableUploads()</c> installs.</summary>
    public static bool IsDecoder(Stream body) => Array.IndexOf(DecoderAssemblies, body.GetType().Assembly) >= 0;
}
