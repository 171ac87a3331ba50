using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Quotas;

namespace ResumableUploads.UnitTests.Engine.Quotas;

/// <summary>Reservations for uploads that nothing else is known about.</summary>
internal static class QuotaTestExtensions
{
    /// <summary>Reserves quota for a new upload, which uses all of it.</summary>
    public static async ValueTask<UploadResultKind?> ReserveUploadAsync(
        this OwnerQuota quota, QuotaAccount account, long? length, long? minimumBytes = null, UploadInfo? replaced = null)
    {
        (QuotaReservation? reservation, UploadResultKind? failure) =
            await quota.ReserveUploadAsync(TargetOf(account) with { Replaced = replaced }, length, minimumBytes, default);
        await (reservation?.SettleAsync(reservation.Usage) ?? ValueTask.CompletedTask);
        return failure;
    }

    /// <summary>Reserves bytes, all of which are used.</summary>
    public static async ValueTask<bool> TryReserveBytesAsync(this OwnerQuota quota, QuotaAccount account, long bytes)
    {
        QuotaReservation? reservation = await quota.ReserveBodyAsync(account, bytes);
        await (reservation?.SettleAsync(reservation.Usage) ?? ValueTask.CompletedTask);
        return reservation is not null;
    }

    public static async ValueTask<QuotaReservation?> ReserveBodyAsync(this OwnerQuota quota, QuotaAccount account, long? bytes) =>
        (await quota.ReserveBytesAsync(TargetOf(account), bytes ?? 0, default)).Reservation;

    public static async ValueTask<long> GetAvailableBytesAsync(this OwnerQuota quota, QuotaAccount account, CancellationToken cancellationToken = default)
    {
        QuotaReservation reservation = (await quota.ReserveBytesAsync(TargetOf(account), 0, cancellationToken)).Reservation!;
        long available = reservation.Extend(long.MaxValue);
        await reservation.SettleAsync(default(QuotaUsage));
        return available;
    }

    /// <summary>Adds bytes that exceed the quota if necessary.</summary>
    public static async Task AddBytesAsync(this OwnerQuota quota, QuotaAccount account, long bytes) =>
        await (await quota.ReserveBodyAsync(account, 0))!.SettleAsync(new QuotaUsage(0, bytes));

    public static void Release(this OwnerQuota quota, QuotaAccount account, QuotaUsage usage) =>
        quota.Release(account, usage, quota.GetCountNumber(account.Owner));

    private static QuotaTarget TargetOf(QuotaAccount account) => new(new UploadKey(account.Owner, Guid.NewGuid().ToString("n")), account);
}
