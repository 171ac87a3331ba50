using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Metadata;

namespace ResumableUploads.Hosting.Endpoints.Execution.Forms;

/// <summary>
/// Creates the limits for the form of a complete upload: those of the endpoint, or those of the app where the endpoint specifies none. The body length
/// limits of the app are raised to at least the maximum upload size; those of the endpoint are not changed.
/// </summary>
internal static class FormOptionsFactory
{
    public static FormOptions Create(Endpoint endpoint, FormOptions app, long maxUploadSize)
    {
        IFormOptionsMetadata[] metadata = [.. endpoint.Metadata.GetOrderedMetadata<IFormOptionsMetadata>().Reverse()];
        return new FormOptions
        {
            BufferBody = FirstSpecified(metadata, static form => form.BufferBody) ?? app.BufferBody,
            MemoryBufferThreshold = FirstSpecified(metadata, static form => form.MemoryBufferThreshold) ?? app.MemoryBufferThreshold,
            BufferBodyLengthLimit = FirstSpecified(metadata, static form => form.BufferBodyLengthLimit) ?? Math.Max(app.BufferBodyLengthLimit, maxUploadSize),
            ValueCountLimit = FirstSpecified(metadata, static form => form.ValueCountLimit) ?? app.ValueCountLimit,
            KeyLengthLimit = FirstSpecified(metadata, static form => form.KeyLengthLimit) ?? app.KeyLengthLimit,
            ValueLengthLimit = FirstSpecified(metadata, static form => form.ValueLengthLimit) ?? app.ValueLengthLimit,
            MultipartBoundaryLengthLimit = FirstSpecified(metadata, static form => form.MultipartBoundaryLengthLimit) ?? app.MultipartBoundaryLengthLimit,
            MultipartHeadersCountLimit = FirstSpecified(metadata, static form => form.MultipartHeadersCountLimit) ?? app.MultipartHeadersCountLimit,
            MultipartHeadersLengthLimit = FirstSpecified(metadata, static form => form.MultipartHeadersLengthLimit) ?? app.MultipartHeadersLengthLimit,
            MultipartBodyLengthLimit = FirstSpecified(metadata, static form => form.MultipartBodyLengthLimit) ?? Math.Max(app.MultipartBodyLengthLimit, maxUploadSize),
        };
    }

    private static T? FirstSpecified<T>(IFormOptionsMetadata[] metadata, Func<IFormOptionsMetadata, T?> limit) where T : struct =>
        metadata.Select(limit).FirstOrDefault(static value => value is not null);
}
