using System.Globalization;
using System.Reflection;

namespace ResumableUploads.TestKit.Cases;

/// <summary>Marks a method of <see cref="StoreCases"/> as a case; with arguments, once for each set of them.</summary>
/// <param name="arguments">What the method is called with.</param>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
internal sealed class CaseAttribute(params object?[]? arguments) : Attribute
{
    // A single null is an argument, and not the absence of all.
    public object?[] Arguments { get; } = arguments ?? [null];

    /// <summary>The abilities without which the case says nothing.</summary>
    public StoreCapabilities Requires { get; init; }

    /// <summary>The abilities with which the case says nothing.</summary>
    public StoreCapabilities Excludes { get; init; }
}

/// <summary>A method with its arguments, and the name that tells both.</summary>
internal sealed class StoreCase(MethodInfo method, CaseAttribute attribute)
{
    public string Name { get; } = method.Name + (attribute.Arguments.Length == 0 ? "" : $"({string.Join(", ", attribute.Arguments.Select(FormatArgument))})");

    public static IEnumerable<StoreCase> FindAll() =>
        from method in typeof(StoreCases).GetMethods(BindingFlags.Instance | BindingFlags.Public)
        from attribute in method.GetCustomAttributes<CaseAttribute>()
        select new StoreCase(method, attribute);

    public bool AppliesTo(StoreCapabilities abilities) =>
        (attribute.Requires & ~abilities) == 0 && (attribute.Excludes & abilities) == 0;

    public Task RunAsync(StoreCases cases)
    {
        object?[] arguments = [.. method.GetParameters().Zip(attribute.Arguments, static (parameter, value) => ConvertArgument(value, parameter.ParameterType))];
        return (Task)method.Invoke(cases, arguments)!;
    }

    private static object? ConvertArgument(object? value, Type type) =>
        value is IConvertible && value is not string && !type.IsEnum ? Convert.ChangeType(value, type, CultureInfo.InvariantCulture) : value;

    private static string FormatArgument(object? value) => Convert.ToString(value, CultureInfo.InvariantCulture) is { Length: > 0 } text ? text : "none";
}
