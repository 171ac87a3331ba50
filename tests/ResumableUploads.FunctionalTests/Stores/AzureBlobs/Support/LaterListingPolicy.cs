using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Azure;
using Azure.Core;
using Azure.Core.Pipeline;

namespace ResumableUploads.FunctionalTests.Stores.AzureBlobs.Support;

/// <summary>Lets responses to listings come from a later time, as if the blobs were that much older.</summary>
internal sealed class LaterListingPolicy(TimeSpan time) : RequestPolicy
{
    public override async ValueTask ProcessAsync(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        await ProcessNextAsync(message, pipeline);
        if (Name(message) == "GET list")
        {
            message.Response = new LaterResponse(message.Response, message.Response.Headers.Date!.Value + time);
        }
    }

    private sealed class LaterResponse(Response inner, DateTimeOffset date) : Response
    {
        private const string DateName = "Date";

        public override int Status => inner.Status;

        public override string ReasonPhrase => inner.ReasonPhrase;

        public override bool IsError => inner.IsError;

        public override Stream? ContentStream
        {
            get => inner.ContentStream;
            set => inner.ContentStream = value;
        }

        public override string ClientRequestId
        {
            get => inner.ClientRequestId;
            set => inner.ClientRequestId = value;
        }

        public override void Dispose() => inner.Dispose();

        protected override bool ContainsHeader(string name) => inner.Headers.Contains(name);

        protected override IEnumerable<HttpHeader> EnumerateHeaders() => inner.Headers.Select(header => header.Name == DateName ? new HttpHeader(DateName, Format()) : header);

        protected override bool TryGetHeader(string name, [NotNullWhen(true)] out string? value)
        {
            bool isFound = inner.Headers.TryGetValue(name, out value);
            value = name.Equals(DateName, StringComparison.OrdinalIgnoreCase) ? Format() : value;
            return isFound;
        }

        protected override bool TryGetHeaderValues(string name, [NotNullWhen(true)] out IEnumerable<string>? values) => inner.Headers.TryGetValues(name, out values);

        private string Format() => date.ToString("R", CultureInfo.InvariantCulture);
    }
}
