using System.Buffers.Text;

namespace ResumableUploads.Benchmarks.Servers;

/// <summary>Writes a number as a text response with minimal overhead.</summary>
internal static class NumberResponse
{
    public static Task WriteNumberAsync(this HttpContext context, long number, int status = StatusCodes.Status200OK)
    {
        HttpResponse response = context.Response;
        Span<byte> text = response.BodyWriter.GetSpan(20);
        _ = Utf8Formatter.TryFormat(number, text, out int length);
        response.StatusCode = status;
        response.ContentType = "text/plain";
        response.ContentLength = length;
        response.BodyWriter.Advance(length);
        return response.BodyWriter.FlushAsync().AsTask();
    }
}
