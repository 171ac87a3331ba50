using ResumableUploads;
using ResumableUploads.Abstractions;
using ResumableUploads.Hosting.Forms;

namespace Microsoft.AspNetCore.Http;

/// <summary>Finds the uploads that a form refers to.</summary>
public static class ResumableUploadsHttpContextExtensions
{
    /// <summary>
    /// Gets the uploads whose ids are the values of a form field, as the <c>resumable-upload</c> element sends them. Only uploads of the client that sent the
    /// form are found: those of the same user or, for browsers without a user, of the same cookie.
    /// </summary>
    /// <remarks>
    /// The uploads are those of <c>UseResumableUploads</c> and <c>MapResumableUploads</c> in an app with <c>AddResumableUploads()</c>, in the file-id protocol.
    /// The form is sent to the host to which the files were uploaded, or <see cref="ResumableUploadOptions.Scope"/> returns the same scope for both.
    /// </remarks>
    /// <param name="context">The request with the form.</param>
    /// <param name="name">The name of the form field.</param>
    /// <param name="uploadPath">
    /// The path to which the files were uploaded, with the values of its route parameters and with the path base: <c>/albums/5/photos</c>. Required if the app
    /// has several paths for uploads, or one with route parameters.
    /// </param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>One result for each different id, in the order of the form. It is empty if the form has no such field.</returns>
    /// <exception cref="InvalidOperationException">The request has no form, or the app has no such path for uploads, or several.</exception>
    /// <exception cref="UploadStoreException">The storage failed.</exception>
    public static Task<IReadOnlyList<FormUpload>> GetFormUploadsAsync(
        this HttpContext context, string name, string? uploadPath = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(name);
        return FormUploadReader.ReadAsync(context, name, uploadPath, cancellationToken);
    }
}
