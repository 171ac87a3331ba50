using Microsoft.Net.Http.Headers;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Permits;
using ResumableUploads.Hosting.Ownership;

namespace ResumableUploads.Hosting.Tickets;

/// <summary>A valid ticket of a request to the endpoint that the ticket is for.</summary>
/// <param name="payload">The content of the ticket.</param>
internal sealed class AcceptedTicket(TicketPayload payload)
{
    /// <summary>The difference between the clocks of two nodes up to which a ticket is not used twice.</summary>
    private static readonly TimeSpan MaxClockDifference = TimeSpan.FromHours(1);

    public string Id => payload.Id;

    /// <summary>Gets the owner as part of the key of the upload.</summary>
    public string Owner { get; } = OwnerResolver.GetNamedOwner(payload.Owner);

    /// <summary>Creates the permit of a request.</summary>
    /// <param name="binding">What all requests of the upload have in common.</param>
    /// <param name="description">What identifies the content for the client, or <see langword="null"/> if the request does not describe it.</param>
    public UploadPermit CreatePermit(string binding, string? description) => new(payload.Id, binding, payload.Expires + MaxClockDifference)
    {
        Owner = payload.Owner,
        Description = description,
    };

    /// <summary>Applies the limits of the ticket to an append.</summary>
    /// <param name="command">The command, whose maximum size is that of the endpoint.</param>
    /// <param name="endpointLimit">The maximum size of an upload to the endpoint, in bytes.</param>
    public AppendCommand Restrict(AppendCommand command, long endpointLimit)
    {
        long limit = Math.Min(command.MaxUploadSize ?? endpointLimit, payload.MaxLength ?? long.MaxValue);
        return command with
        {
            MaxUploadSize = limit,
            RestartAtOffsetZero = false,
            IsServerGeneratedKey = false,
            CreateIfMissing = command.CreateIfMissing is not { } create ? null : create with
            {
                RawFileName = payload.FileName ?? create.RawFileName,
                MaxUploadSize = Math.Min(create.MaxUploadSize ?? long.MaxValue, limit),
            },
        };
    }

    /// <summary>Returns the rejection of an upload with a content type that the ticket does not allow, or <see langword="null"/>.</summary>
    public Rejection? CheckContentType(string? contentType) =>
        payload.ContentTypes is not { Length: > 0 } allowed
        || (MediaTypeHeaderValue.TryParse(contentType, out MediaTypeHeaderValue? type) && allowed.Any(range => IsAllowed(type, range)))
            ? null
            : new Rejection(415, $"The upload ticket is for one of these content types: {string.Join(", ", allowed)}. Declare the type of the file.");

    /// <summary>Compares types exactly, unlike <see cref="MediaTypeHeaderValue.IsSubsetOf"/>: <c>application/xhtml+xml</c> is not <c>application/xml</c>.</summary>
    private static bool IsAllowed(MediaTypeHeaderValue type, string range) =>
        !type.MediaType.AsSpan().Contains('*')
        && MediaTypeHeaderValue.TryParse(range, out MediaTypeHeaderValue? allowed)
        && (allowed.MatchesAllTypes
            || (allowed.Type.Equals(type.Type, StringComparison.OrdinalIgnoreCase)
                && (allowed.MatchesAllSubTypes || allowed.SubType.Equals(type.SubType, StringComparison.OrdinalIgnoreCase))));
}
