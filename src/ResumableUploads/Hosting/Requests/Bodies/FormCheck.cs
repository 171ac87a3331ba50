using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;
using ResumableUploads.Protocols;

namespace ResumableUploads.Hosting.Requests.Bodies;

/// <summary>Rejects forms on ready-made paths, which store what they receive: the file would contain the boundaries and headers of the form.</summary>
internal static class FormCheck
{
    private static readonly Problem Form = new(
        StatusCodes.Status415UnsupportedMediaType,
        Problem.CustomType("form"),
        "Forms are not accepted",
        "Nothing was stored. Send the file itself as the body instead of a form that contains it, or use a resumable endpoint, which receives the form.");

    /// <summary>Returns the problem of an upload whose content is a multipart form, or <see langword="null"/>.</summary>
    public static Problem? Check(UploadRequest request, string? contentType) =>
        request.Target is null && IsMultipartForm(contentType) ? Form : null;

    public static bool IsMultipartForm(string? contentType) =>
        MediaTypeHeaderValue.TryParse(contentType, out MediaTypeHeaderValue? type)
        && type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase);
}
