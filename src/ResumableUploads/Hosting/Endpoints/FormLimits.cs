using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Metadata;

namespace ResumableUploads;

/// <summary>The limits for a form that came in pieces: the app's, room for the whole upload, and what the endpoint itself says.</summary>
internal static class FormLimits
{
    public static FormOptions For(Endpoint endpoint, FormOptions app, long maxUploadSize)
    {
        IFormOptionsMetadata[] stated = [.. endpoint.Metadata.GetOrderedMetadata<IFormOptionsMetadata>().Reverse()];
        return new FormOptions
        {
            BufferBody = First(stated, static form => form.BufferBody) ?? app.BufferBody,
            MemoryBufferThreshold = First(stated, static form => form.MemoryBufferThreshold) ?? app.MemoryBufferThreshold,
            BufferBodyLengthLimit = First(stated, static form => form.BufferBodyLengthLimit) ?? Math.Max(app.BufferBodyLengthLimit, maxUploadSize),
            ValueCountLimit = First(stated, static form => form.ValueCountLimit) ?? app.ValueCountLimit,
            KeyLengthLimit = First(stated, static form => form.KeyLengthLimit) ?? app.KeyLengthLimit,
            ValueLengthLimit = First(stated, static form => form.ValueLengthLimit) ?? app.ValueLengthLimit,
            MultipartBoundaryLengthLimit = First(stated, static form => form.MultipartBoundaryLengthLimit) ?? app.MultipartBoundaryLengthLimit,
            MultipartHeadersCountLimit = First(stated, static form => form.MultipartHeadersCountLimit) ?? app.MultipartHeadersCountLimit,
            MultipartHeadersLengthLimit = First(stated, static form => form.MultipartHeadersLengthLimit) ?? app.MultipartHeadersLengthLimit,
            MultipartBodyLengthLimit = First(stated, static form => form.MultipartBodyLengthLimit) ?? Math.Max(app.MultipartBodyLengthLimit, maxUploadSize),
        };
    }

    private static T? First<T>(IFormOptionsMetadata[] stated, Func<IFormOptionsMetadata, T?> limit) where T : struct =>
        stated.Select(limit).FirstOrDefault(static value => value is not null);
}
