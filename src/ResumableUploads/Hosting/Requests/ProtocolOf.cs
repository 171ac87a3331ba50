using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;
using ResumableUploads.Protocols.FileId;
using ResumableUploads.Protocols.Ietf;
using ResumableUploads.Protocols.Tus;

namespace ResumableUploads;

/// <summary>What tells a request to an app's endpoint from one that is none of ours.</summary>
internal enum UploadProtocol
{
    None,
    FileId,
    Tus,

    /// <summary>A creation of the IETF draft.</summary>
    Ietf,

    /// <summary>The URL of an upload that was made by POST, whatever its protocol is.</summary>
    UploadByPost,
    UploadByPut,
    UploadByPatch,

    /// <summary>The question what can be done here.</summary>
    Discovery,
}

/// <summary>Tells by its headers and its URL which protocol a request speaks. Cheap: it is asked of every request to an app's endpoint.</summary>
internal static class ProtocolOf
{
    /// <summary>What the browser asks for a page of another site; CORS answers it.</summary>
    public static bool IsPreflight(HttpRequest request) =>
        HttpMethods.IsOptions(request.Method) && request.Headers.ContainsKey(HeaderNames.AccessControlRequestMethod);

    /// <summary>The protocol of a request, or of the one that a preflight asks for.</summary>
    public static UploadProtocol Of(HttpRequest request)
    {
        if (UploadUrl.CreationMethodOf(request) is { } method)
        {
            return HttpMethods.IsPut(method) ? UploadProtocol.UploadByPut
                : HttpMethods.IsPatch(method) ? UploadProtocol.UploadByPatch
                : UploadProtocol.UploadByPost;
        }

        IHeaderDictionary headers = request.Headers;
        if (IsPreflight(request))
        {
            string asked = headers.AccessControlRequestHeaders.ToString();
            bool Asks(string name) => asked.Contains(name, StringComparison.OrdinalIgnoreCase);
            return Asks(TusHeaders.Resumable) ? UploadProtocol.Tus
                : Asks(FileIdHeaders.FileId) ? UploadProtocol.FileId
                : Asks(IetfHeaders.Complete) || Asks(IetfHeaders.Incomplete) ? UploadProtocol.Ietf
                : UploadProtocol.None;
        }

        return headers.ContainsKey(TusHeaders.Resumable) ? UploadProtocol.Tus
            : headers.ContainsKey(FileIdHeaders.FileId) ? UploadProtocol.FileId
            : HttpMethods.IsOptions(request.Method) ? UploadProtocol.Discovery
            : IsCreation(request) ? UploadProtocol.Ietf
            : UploadProtocol.None;
    }

    /// <summary>A value that is none is as good as no header: then the request is the app's .</summary>
    private static bool IsCreation(HttpRequest request) =>
        IetfParser.MayCreate(request.Method)
        && (request.Headers.ContainsKey(IetfHeaders.Complete) || request.Headers.ContainsKey(IetfHeaders.Incomplete))
        && IetfVersion.Of(request.Headers, out _).CompletenessOf(request.Headers) is not null;
}
