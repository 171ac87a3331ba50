using System.Buffers;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;
using ResumableUploads.Hosting.Requests.Bodies;
using ResumableUploads.Protocols.Headers;

namespace ResumableUploads.Hosting.Endpoints.Execution.Forms;

/// <summary>
/// Reads the form of a complete upload. <see cref="FormFeature"/> reads each value of a multipart form into memory, whatever its size, because the server
/// limits the body of a plain request. This feature limits the values together. Files are not read into memory.
/// </summary>
/// <param name="request">The request.</param>
/// <param name="options">The limits of the form.</param>
/// <param name="maxValuesSize">The maximum size of all values of a multipart form, in bytes.</param>
internal sealed class EndpointFormFeature(HttpRequest request, FormOptions options, long maxValuesSize) : IFormFeature
{
    private const int BufferSize = 16 * 1024;

    private readonly FormFeature _form = new(request, options);
    private Task<IFormCollection>? _reading;

    public bool HasFormContentType => _form.HasFormContentType;

    /// <summary>Gets or sets the form that was read. Empty if it could not be read, so that no filter replaces this feature to read it again.</summary>
    public IFormCollection? Form
    {
        get => _reading is { IsFaulted: true } ? FormCollection.Empty : _form.Form;
        set => (_reading, _form.Form) = (null, value);
    }

    public IFormCollection ReadForm() => _reading is { IsFaulted: true } failed ? failed.GetAwaiter().GetResult()
        : _form.Form ?? ReadFormAsync(CancellationToken.None).GetAwaiter().GetResult();

    public Task<IFormCollection> ReadFormAsync(CancellationToken cancellationToken) => _reading ??= ReadOnceAsync(cancellationToken);

    private async Task<IFormCollection> ReadOnceAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await (MustReadMultipart ? ReadMultipartAsync(cancellationToken) : _form.ReadFormAsync(cancellationToken));
        }
        catch (NotSupportedException e)
        {
            // The framework throws for a charset such as UTF-7, which the runtime refuses.
            throw new InvalidDataException("A charset of the form is not supported.", e);
        }
    }

    private bool MustReadMultipart => _form.Form is null && request.ContentLength != 0 && FormCheck.IsMultipartForm(request.ContentType);

    private async Task<IFormCollection> ReadMultipartAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (!request.Body.CanSeek)
        {
            // Middleware has decoded the content. Files are ranges of the body.
            request.EnableBuffering(options.MemoryBufferThreshold, options.BufferBodyLengthLimit);
        }

        var reader = new MultipartReader(GetBoundary(), request.Body)
        {
            HeadersCountLimit = options.MultipartHeadersCountLimit,
            HeadersLengthLimit = options.MultipartHeadersLengthLimit,
            BodyLengthLimit = options.MultipartBodyLengthLimit,
        };
        var values = new KeyValueAccumulator();
        var files = new FormFileCollection();
        long remainingSize = maxValuesSize;
        for (int count = 1; await reader.ReadNextSectionAsync(cancellationToken) is { } section; count++)
        {
            if (count > options.ValueCountLimit)
            {
                throw new InvalidDataException($"Form value count limit {options.ValueCountLimit} exceeded.");
            }

            if (!ContentDispositionParser.TryParse(section.ContentDisposition, out ContentDispositionHeaderValue? disposition))
            {
                throw new InvalidDataException("Form section has invalid Content-Disposition value: " + section.ContentDisposition);
            }

            if (disposition.IsFileDisposition())
            {
                files.Add(await ReadFileAsync(new FileMultipartSection(section, disposition), cancellationToken));
            }
            else if (disposition.IsFormDisposition())
            {
                remainingSize -= await BufferAsync(section, remainingSize, cancellationToken);
                var value = new FormMultipartSection(section, disposition);
                values.Append(value.Name, await value.GetValueAsync(cancellationToken));
            }
        }

        // Other code may read the body after the form.
        request.Body.Seek(0, SeekOrigin.Begin);
        return _form.Form = new FormCollection(values.GetResults(), files);
    }

    private async ValueTask<IFormFile> ReadFileAsync(FileMultipartSection section, CancellationToken cancellationToken)
    {
        await section.Section.Body.DrainAsync(cancellationToken);
        return new FormFile(request.Body, section.Section.BaseStreamOffset ?? 0, section.Section.Body.Length, section.Name, section.FileName)
        {
            Headers = new HeaderDictionary(section.Section.Headers),
        };
    }

    /// <summary>Replaces the body of a section by a copy in memory, and returns its size.</summary>
    private async ValueTask<long> BufferAsync(MultipartSection section, long maxSize, CancellationToken cancellationToken)
    {
        var content = new MemoryStream();
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            for (int read; (read = await section.Body.ReadAsync(buffer, cancellationToken)) > 0;)
            {
                if (content.Length + read > maxSize)
                {
                    throw new BadHttpRequestException(
                        $"Request body too large. The max size of the values of the form is {maxValuesSize} bytes.", StatusCodes.Status413PayloadTooLarge);
                }

                content.Write(buffer, 0, read);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        content.Position = 0;
        section.Body = content;
        return content.Length;
    }

    private string GetBoundary()
    {
        StringSegment boundary = HeaderUtilities.RemoveQuotes(MediaTypeHeaderValue.Parse(request.ContentType).Boundary);
        return StringSegment.IsNullOrEmpty(boundary) ? throw new InvalidDataException("Missing content-type boundary.")
            : boundary.Length > options.MultipartBoundaryLengthLimit
            ? throw new InvalidDataException($"Multipart boundary length limit {options.MultipartBoundaryLengthLimit} exceeded.")
            : boundary.ToString();
    }
}
