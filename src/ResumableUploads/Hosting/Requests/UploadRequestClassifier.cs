using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;
using ResumableUploads.Protocols.FileId;
using ResumableUploads.Protocols.Ietf;
using ResumableUploads.Protocols.Tus;

namespace ResumableUploads.Hosting.Requests;

/// <summary>The kind of a request, as far as its headers and URL show it.</summary>
internal enum UploadRequestKind
{
    /// <summary>Not a request of an upload protocol.</summary>
    None,
    FileId,
    Tus,

    /// <summary>A creation of the IETF draft.</summary>
    IetfCreation,

    /// <summary>A request to the URL of an upload that was created by POST, of any protocol.</summary>
    UploadCreatedByPost,
    UploadCreatedByPut,
    UploadCreatedByPatch,

    /// <summary>An OPTIONS request that is not a CORS preflight.</summary>
    Discovery,
}

/// <summary>Determines the protocol of a request by its headers and URL. It runs for every request to the URL of a resumable endpoint.</summary>
internal static class UploadRequestClassifier
{
    /// <summary>Returns whether a request is a CORS preflight, which the CORS middleware answers.</summary>
    public static bool IsCorsPreflight(HttpRequest request) =>
        HttpMethods.IsOptions(request.Method) && request.Headers.ContainsKey(HeaderNames.AccessControlRequestMethod);

    /// <summary>Gets the kind of a request. For a CORS preflight: the kind of the request that will follow.</summary>
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
            string requestedHeaders = headers.AccessControlRequestHeaders.ToString();
            bool Requests(string name) => requestedHeaders.Contains(name, StringComparison.OrdinalIgnoreCase);
            return Requests(TusHeaders.Resumable) ? UploadRequestKind.Tus
                : Requests(FileIdHeaders.FileId) ? UploadRequestKind.FileId
                : Requests(IetfHeaders.Complete) || Requests(IetfHeaders.Incomplete) ? UploadRequestKind.IetfCreation
                : UploadRequestKind.None;
        }

        return headers.ContainsKey(TusHeaders.Resumable) ? UploadRequestKind.Tus
            : headers.ContainsKey(FileIdHeaders.FileId) ? UploadRequestKind.FileId
            : HttpMethods.IsOptions(request.Method) ? UploadRequestKind.Discovery
            : IsIetfCreation(request) ? UploadRequestKind.IetfCreation
            : UploadRequestKind.None;
    }

    /// <summary>
    /// Returns whether a request creates an upload of the IETF draft. A header with an invalid value is ignored, so that the request reaches the app
    /// (draft-ietf-httpbis-resumable-upload-12, sections 4.1.2 and 4.2).
    /// </summary>
    private static bool IsIetfCreation(HttpRequest request) =>
        IetfParser.IsCreationMethod(request.Method)
        && (request.Headers.ContainsKey(IetfHeaders.Complete) || request.Headers.ContainsKey(IetfHeaders.Incomplete))
        && IetfVersion.FromRequest(request.Headers, out _).GetCompleteness(request.Headers) is not null;
}
