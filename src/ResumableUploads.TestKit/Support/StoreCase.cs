using System.Globalization;
using System.Reflection;
using ResumableUploads.TestKit.Cases;

namespace ResumableUploads.TestKit.Support;

/// <summary>Marks a method of <see cref="StoreCases"/> as a case. Each attribute with arguments is a case of its own.</summary>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
internal sealed class CaseAttribute(params object?[]? arguments) : Attribute
{
    // The compiler passes [Case(null)] as a null array.
    public object?[] Arguments { get; } = arguments ?? [null];

    /// <summary>Gets the capabilities that a store must have for the case to apply.</summary>
    public StoreCapabilities Requires { get; init; }

    /// <summary>Gets the capabilities that a store must not have for the case to apply.</summary>
    public StoreCapabilities Excludes { get; init; }
}

/// <summary>A method of <see cref="StoreCases"/> with its arguments.</summary>
internal sealed class StoreCase(MethodInfo method, CaseAttribute attribute)
{
    public string Name { get; } = method.Name + (attribute.Arguments.Length == 0 ? "" : $"({string.Join(", ", attribute.Arguments.Select(FormatArgument))})");

    public static IEnumerable<StoreCase> FindAll() =>
        from method in typeof(StoreCases).GetMethods(BindingFlags.Instance | BindingFlags.Public)
        from attribute in method.GetCustomAttributes<CaseAttribute>()
        select new StoreCase(method, attribute);

    public bool AppliesTo(StoreCapabilities capabilities) =>
        (attribute.Requires & ~capabilities) == 0 && (attribute.Excludes & capabilities) == 0;

    public Task RunAsync(StoreCases cases)
    {
        object?[] arguments = [.. method.GetParameters().Zip(attribute.Arguments, static (parameter, value) => ConvertArgument(value, parameter.ParameterType))];
        return (Task)method.Invoke(cases, arguments)!;
    }

    private static object? ConvertArgument(object? value, Type type) =>
        value is IConvertible && value is not string && !type.IsEnum ? Convert.ChangeType(value, type, CultureInfo.InvariantCulture) : value;

    private static string FormatArgument(object? value) => Convert.ToString(value, CultureInfo.InvariantCulture) is { Length: > 0 } text ? text : "none";
}
