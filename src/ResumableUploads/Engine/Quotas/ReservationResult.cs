namespace ResumableUploads.Engine.Quotas;

/// <summary>The result of an attempt to reserve quota. One of the two values is set.</summary>
/// <param name="Reservation">The reservation, or null if it would exceed a limit.</param>
/// <param name="Failure">The limit that the reservation would exceed, or null.</param>
internal readonly record struct ReservationResult(QuotaReservation? Reservation, UploadResultKind? Failure = null);
