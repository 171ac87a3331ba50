using ResumableUploads.Cli.CommandLine;
using ResumableUploads.Client;

namespace ResumableUploads.Cli.Running;

/// <summary>Provides the request headers of the user, and reads the header file again after a response with status code 401.</summary>
internal sealed class HeaderProvider
{
    private readonly HeaderSources _sources;
    private Dictionary<string, string> _headers;

    /// <exception cref="UsageException">A header is invalid.</exception>
    public HeaderProvider(HeaderSources sources)
    {
        _sources = sources;
        _headers = Read();
    }

    public void AddTo(UploadRequestOptions request)
    {
        if (_sources.File is not null)
        {
            request.BeforeRequest = SetHeaders;
            return;
        }

        foreach ((string name, string value) in _headers)
        {
            request.Headers[name] = value;
        }
    }

    private ValueTask SetHeaders(UploadRequestContext context, CancellationToken cancellationToken)
    {
        if (context.IsUnauthorized)
        {
            try
            {
                _headers = Read();
            }
            catch (UsageException)
            {
                // The file is being replaced, or was a pipe. The request fails with 401 again.
            }
        }

        foreach ((string name, string value) in _headers)
        {
            if (!context.Request.Headers.TryAddWithoutValidation(name, value))
            {
                context.Request.Content?.Headers.TryAddWithoutValidation(name, value);
            }
        }

        return ValueTask.CompletedTask;
    }

    private Dictionary<string, string> Read()
    {
        Dictionary<string, string> headers = _sources.Read();
        using var client = new HttpClient();
        foreach ((string name, string value) in headers)
        {
            var options = new UploadOptions { Id = "-" };
            options.Request.Headers[name] = value;
            try
            {
                // Validates the options, and sends nothing.
                _ = new ResumableUploadClient(client).FindUploadAsync(new Uri("http://localhost/"), "-", options);
            }
            catch (ArgumentException e)
            {
                string advice = name.Equals("Content-Type", StringComparison.OrdinalIgnoreCase) ? " Use --content-type." : "";
                throw new UsageException($"The header {name} is set by the command itself.{advice}", e);
            }
        }

        return headers;
    }
}
