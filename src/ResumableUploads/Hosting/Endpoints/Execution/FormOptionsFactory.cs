using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Metadata;

namespace ResumableUploads.Hosting.Endpoints.Execution;

/// <summary>The limits for a form that came in pieces: the app's, room for the whole upload, and what the endpoint itself says.</summary>
internal static class FormOptionsFactory
{
    public static FormOptions Create(Endpoint endpoint, FormOptions app, long maxUploadSize)
    {
        IFormOptionsMetadata[] stated = [.. endpoint.Metadata.GetOrderedMetadata<IFormOptionsMetadata>().Reverse()];
        return new FormOptions
        {
            BufferBody = FirstSpecified(stated, static form => form.BufferBody) ?? app.BufferBody,
            MemoryBufferThreshold = FirstSpecified(stated, static form => form.MemoryBufferThreshold) ?? app.MemoryBufferThreshold,
            BufferBodyLengthLimit = FirstSpecified(stated, static form => form.BufferBodyLengthLimit) ?? Math.Max(app.BufferBodyLengthLimit, maxUploadSize),
            ValueCountLimit = FirstSpecified(stated, static form => form.ValueCountLimit) ?? app.ValueCountLimit,
            KeyLengthLimit = FirstSpecified(stated, static form => form.KeyLengthLimit) ?? app.KeyLengthLimit,
            ValueLengthLimit = FirstSpecified(stated, static form => form.ValueLengthLimit) ?? app.ValueLengthLimit,
            MultipartBoundaryLengthLimit = FirstSpecified(stated, static form => form.MultipartBoundaryLengthLimit) ?? app.MultipartBoundaryLengthLimit,
            MultipartHeadersCountLimit = FirstSpecified(stated, static form => form.MultipartHeadersCountLimit) ?? app.MultipartHeadersCountLimit,
            MultipartHeadersLengthLimit = FirstSpecified(stated, static form => form.MultipartHeadersLengthLimit) ?? app.MultipartHeadersLengthLimit,
            MultipartBodyLengthLimit = FirstSpecified(stated, static form => form.MultipartBodyLengthLimit) ?? Math.Max(app.MultipartBodyLengthLimit, maxUploadSize),
        };
    }

    private static T? FirstSpecified<T>(IFormOptionsMetadata[] stated, Func<IFormOptionsMetadata, T?> limit) where T : struct =>
        stated.Select(limit).FirstOrDefault(static value => value is not null);
}
