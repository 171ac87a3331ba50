using Microsoft.AspNetCore.OpenApi;
using ResumableUploads.OpenApi;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Describes resumable uploads in OpenAPI documents.</summary>
public static class ResumableUploadsOpenApiOptionsExtensions
{
    /// <summary>
    /// Describes resumable uploads in a document: the headers and responses of the upload protocols at the resumable endpoints of the document, the methods that
    /// the protocols add to them, and the ready-made endpoints of the application. Other endpoints are not changed.
    /// </summary>
    /// <param name="options">The options of the document.</param>
    /// <returns>The options.</returns>
    public static OpenApiOptions AddResumableUploads(this OpenApiOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var transformer = new ResumableUploadsTransformer();
        return options.AddOperationTransformer(transformer).AddDocumentTransformer(transformer);
    }
}
