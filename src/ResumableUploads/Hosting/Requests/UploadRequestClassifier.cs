using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;
using ResumableUploads.Protocols.FileId;
using ResumableUploads.Protocols.Ietf;
using ResumableUploads.Protocols.Tus;

namespace ResumableUploads.Hosting.Requests;

/// <summary>What tells a request to an app's endpoint from one that is none of ours.</summary>
internal enum UploadRequestKind
{
    None,
    FileId,
    Tus,

    /// <summary>A creation of the IETF draft.</summary>
    IetfCreation,

    /// <summary>The URL of an upload that was made by POST, whatever its protocol is.</summary>
    UploadCreatedByPost,
    UploadCreatedByPut,
    UploadCreatedByPatch,

    /// <summary>The question what can be done here.</summary>
    Discovery,
}

/// <summary>Tells by its headers and its URL which protocol a request speaks. Cheap: it is asked of every request to an app's endpoint.</summary>
internal static class UploadRequestClassifier
{
    /// <summary>What the browser asks for a page of another site; CORS answers it.</summary>
    public static bool IsCorsPreflight(HttpRequest request) =>
        HttpMethods.IsOptions(request.Method) && request.Headers.ContainsKey(HeaderNames.AccessControlRequestMethod);

    /// <summary>The protocol of a request, or of the one that a preflight asks for.</summary>
    public static UploadRequestKind Classify(HttpRequest request)
    {
        if (UploadUrl.GetCreationMethod(request) is { } method)
        {
            return HttpMethods.IsPut(method) ? UploadRequestKind.UploadCreatedByPut
                : HttpMethods.IsPatch(method) ? UploadRequestKind.UploadCreatedByPatch
                : UploadRequestKind.UploadCreatedByPost;
        }

        IHeaderDictionary headers = request.Headers;
        if (IsCorsPreflight(request))
        {
            string asked = headers.AccessControlRequestHeaders.ToString();
            bool Asks(string name) => asked.Contains(name, StringComparison.OrdinalIgnoreCase);
            return Asks(TusHeaders.Resumable) ? UploadRequestKind.Tus
                : Asks(FileIdHeaders.FileId) ? UploadRequestKind.FileId
                : Asks(IetfHeaders.Complete) || Asks(IetfHeaders.Incomplete) ? UploadRequestKind.IetfCreation
                : UploadRequestKind.None;
        }

        return headers.ContainsKey(TusHeaders.Resumable) ? UploadRequestKind.Tus
            : headers.ContainsKey(FileIdHeaders.FileId) ? UploadRequestKind.FileId
            : HttpMethods.IsOptions(request.Method) ? UploadRequestKind.Discovery
            : IsIetfCreation(request) ? UploadRequestKind.IetfCreation
            : UploadRequestKind.None;
    }

    /// <summary>A value that is none is as good as no header: then the request is the app's .</summary>
    private static bool IsIetfCreation(HttpRequest request) =>
        IetfParser.IsCreationMethod(request.Method)
        && (request.Headers.ContainsKey(IetfHeaders.Complete) || request.Headers.ContainsKey(IetfHeaders.Incomplete))
        && IetfVersion.FromRequest(request.Headers, out _).GetCompleteness(request.Headers) is not null;
}
