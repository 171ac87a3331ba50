namespace ResumableUploads;

/// <summary>
/// Lets a resumable endpoint accept upload tickets of <see cref="IUploadTickets"/>. The bearer of a valid ticket can send the upload of the ticket, whatever the
/// authorization policies of the endpoint are. Other requests are authorized as without this attribute. Requires <c>AddDataProtection()</c>.
/// </summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
public sealed class AllowUploadTicketsAttribute : Attribute;
